-- Where a search begins: architectures given by `start`, then random ones.

local core = require "nas.core"
local Search = require("nas.search.class").methods

Search.initial = core.declare("search:initial", {
  doc = [[
The architectures that a strategy begins with: those of `search.start` first, then random ones. Population strategies
begin with these, so that `nas.search { start = … }` works with all of them.]],
  context = "strategy",
  { "search", "any" },
  { "count", "integer", min = 1, max = 100000, doc = "how many" },
  returns = "Architecture[]",
}, function(search, count)
  local archs = table.move(search.start, 1, math.min(count, #search.start), 1, {})
  while #archs < count do archs[#archs + 1] = search.space:random() end
  return archs
end)

--- The architectures of the option `start`: a list, or what nas.warm_start returns.
return function(search, start)
  if start.is_warm_start then start = start.run(search) end
  local archs = {}
  for index, arch in ipairs(start) do
    if core.class_name(arch) ~= "Architecture" then
      core.fail {
        message = ("nas.search: wrong architecture %d of 'start'"):format(index),
        expected = "architectures such as result:top(10) gives, or nas.warm_start { … }",
        got = core.show(arch),
      }
    end
    archs[index] = search.space:make(arch)
  end
  return archs
end
