-- What `nas.search` returns: the trials in the order in which the strategy got them, and ways to pick among them.

local core = require "nas.core"

local Result = {}
local metatable = { __index = core.class_index(Result, "result", {}) }

core.class(metatable, {
  name = "Result",
  object = "result",
  doc = "What nas.search returns: the trials in the order in which the strategy got them. print(result) sums it up.",
  fields = {
    { "trials", "Trial[]", doc = "all of them, failed ones too" },
    { "objectives", "table[]", doc = "{ name =, direction = } each, the primary one first" },
    { "reason", "string", doc = "why the search ended" },
    { "name", "string", doc = "of the search" },
    { "space", "Space", doc = "that was searched" },
    { "reused", "integer", doc = "requests that were answered by an earlier trial" },
    { "search", "Search", doc = "the search, which has ended" },
  },
})

local function new(search, reason)
  return setmetatable({
    trials = search.history,
    objectives = search.objectives,
    reason = reason,
    name = search.name,
    space = search.space,
    search = search,
    reused = search.reused,
  }, metatable)
end

--- The trials that succeeded, best first.
function Result:ranked(metric)
  local succeeded = {}
  for _, trial in ipairs(self.trials) do
    if not trial.failed then succeeded[#succeeded + 1] = trial end
  end
  return self.search:rank(succeeded, metric)
end

Result.best = core.declare("result:best", {
  doc = "The best trial by the primary objective, or by `metric`. An error when every trial failed.",
  { "result", "any" },
  { "metric", "string", optional = true, doc = "default: the primary objective" },
  returns = "Trial",
}, function(result, metric)
  local best = result:ranked(metric)[1]
  if not best then
    local last = result.trials[#result.trials]
    core.fail {
      message = ("the search '%s' has no successful trial"):format(result.name),
      got = ("%d failed"):format(#result.trials),
      cause = last and last.failed,
      hint = "See `nasrun show last` for the reasons.",
    }
  end
  return best
end)

Result.top = core.declare("result:top", {
  doc = "The architectures of the `count` best trials, best first.",
  { "result", "any" },
  { "count", "integer", min = 1, doc = "at most so many" },
  { "metric", "string", optional = true, doc = "default: the primary objective" },
  returns = "Architecture[]",
}, function(result, count, metric)
  local archs = {}
  for index, trial in ipairs(result:ranked(metric)) do
    if index > count then break end
    archs[index] = trial.arch
  end
  return archs
end)

Result.front = core.declare("result:front", {
  doc = "The Pareto front over all objectives: the successful trials that no other one dominates, best primary first.",
  { "result", "any" },
  returns = "Trial[]",
}, function(result)
  local ranked = result:ranked()
  local front = {}
  for _, index in ipairs(core.pareto_front(ranked, result.objectives)) do front[#front + 1] = ranked[index] end
  return front
end)

function metatable.__tostring(result)
  return ("search '%s': %d trials (%s)"):format(result.name, #result.trials, result.reason)
end

return { new = new }
