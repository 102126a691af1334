-- Evaluates given architectures in order: for comparisons under one protocol.

local nas = require "nas"

return nas.declare("nas.strategies.listed", {
  doc = "Evaluates each of `archs` once, in order, then ends.",
  { "archs", "Architecture[]", doc = "of the search's space" },
  returns = "fun(search: Search)",
}, function(archs)
  if #archs == 0 then
    nas.fail {
      message = "nas.strategies.listed: no architectures",
      expected = "a list: nas.strategies.listed { arch, … }",
      got = next(archs) == nil and "an empty list" or "a table with names",
    }
  end
  return function(search) search:map(archs) end
end)
