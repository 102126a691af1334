-- Evaluates given architectures in order: for comparisons under one protocol.

local core = require "nas.core"

return core.declare("nas.strategies.listed", {
  doc = "Evaluates each of `archs` once, in order, then ends.",
  { "archs", "Architecture[]", doc = "of the search's space" },
  returns = "fun(search: Search)",
}, function(archs)
  core.require_elements(archs, {
    message = "nas.strategies.listed: no architectures",
    expected = "a list: nas.strategies.listed { arch, … }",
  })
  return function(search) search:map(archs) end
end)
