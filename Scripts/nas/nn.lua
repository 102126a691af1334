-- `nas.nn`: the operations of the op table are native; what takes a function (scopes, choices) is here.

local core = require "nas.core"
local nn = core.nn

nn.scope = core.declare("nas.nn.scope", {
  doc = "Runs `fn` with `name` added to the path of every parameter made inside, and returns what it returns.",
  context = "build",
  { "name", "string|integer", doc = "letters, digits, `_` and `-`" },
  { "fn", "function", doc = "no arguments" },
}, function(name, fn)
  core.push_scope(tostring(name))
  local value = fn()
  core.pop_scope()
  return value
end)

nn.choice = core.declare("nas.nn.choice", {
  doc = "Runs the branch that a decision chose. The branch's name becomes part of the parameter paths inside it.",
  context = "build",
  { "value", "any", doc = "what the build read from a `oneof` decision" },
  { "branches", "table", doc = "a function for each option of the decision" },
}, function(value, branches)
  local branch = branches[value]
  if branch == nil then
    local known = {}
    for key in pairs(branches) do known[#known + 1] = tostring(key) end
    core.fail {
      message = "nn.choice has no branch for this option",
      expected = "one of " .. table.concat(known, ", "),
      got = tostring(value),
      hint = "Give every option of the decision a branch.",
    }
  end
  return nn.scope(value, branch)
end)

return nn
