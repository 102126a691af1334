-- `nas.test.conformance`: a suite as part of a test file, for those who keep their strategies under test.

local core = require "nas.core"
local suite = require "nas.testing.suite".suite

return core.declare("nas.test.conformance", {
  doc = [[
Puts what a module returns through the suite of its kind, as `nasrun test --strategy` does, and returns the results in a
list: name, outcome ("passed", "failed", "note", "skipped"), did, expected, got, mend.]],
  context = "test",
  { "kind", "string", one_of = { "strategy", "space", "proxy", "evaluator" }, doc = "which suite" },
  { "module", "string", doc = "what `require` finds: a file beside the test, or such as nas.strategies.random" },
  options = {
    { "options", "table", default = {}, doc = "for a function that makes the strategy, say" },
    { "filter", "string", optional = true, doc = "only checks whose name holds this text" },
    { "skip", "table", default = {}, doc = "texts; without checks whose name holds one" },
    { "trials", "integer", min = 10, default = 100, doc = "of a search that is compared with random search" },
    { "seeds", "integer", min = 10, max = 16, default = 12, doc = "how many such searches" },
  },
  returns = "table[]",
}, function(kind, module, settings)
  local results = {}
  suite(kind, module, settings, function(result) results[#results + 1] = result end)
  return results
end)
