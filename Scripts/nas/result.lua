-- What `nas.search` returns: the trials in the order in which the strategy got them, and ways to pick among them.

local core = require "nas.core"
local comparing = require "nas.search.comparing"

local Result = {}
local metatable = { __index = core.class_index(Result, "result", {}) }

core.declare_class(metatable, {
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

--- The trials that succeeded and keep the constraints, best first.
function Result:ranked(metric) return self.search:rank(comparing.feasible(self.trials), metric) end

--- Why there is no best trial.
local function no_best(result)
  local nearest = result.search:rank(result.trials)[1]
  if nearest and not nearest.failed then
    core.fail {
      message = ("no trial of the search '%s' keeps the constraints"):format(result.name),
      got = "nearest: " .. tostring(nearest),
      hint = "Widen the constraints, or search where they can be kept.",
    }
  end
  local last = result.trials[#result.trials]
  core.fail {
    message = ("the search '%s' has no successful trial"):format(result.name),
    got = ("%d failed"):format(#result.trials),
    cause = last and last.failed,
    hint = "See `nasrun show last` for the reasons.",
  }
end

Result.best = core.declare("result:best", {
  doc = [[
The best trial by the primary objective, or by `metric`, of those that keep the constraints. An error when there is
none.]],
  { "result", "any" },
  { "metric", "string", optional = true, doc = "default: the primary objective" },
  returns = "Trial",
}, function(result, metric) return result:ranked(metric)[1] or no_best(result) end)

Result.top = core.declare("result:top", {
  doc = "The `count` best architectures, best first, each once: of the trials that keep the constraints.",
  { "result", "any" },
  { "count", "integer", min = 1, doc = "at most so many" },
  { "metric", "string", optional = true, doc = "default: the primary objective" },
  returns = "Architecture[]",
}, function(result, count, metric)
  local archs, seen = {}, {}
  for _, trial in ipairs(result:ranked(metric)) do
    if #archs == count then break end
    if not seen[trial.arch] then archs[#archs + 1] = trial.arch end
    seen[trial.arch] = true
  end
  return archs
end)

Result.front = core.declare("result:front", {
  doc = [[
The Pareto front over all objectives: of the trials that keep the constraints, those that no other one dominates, best
primary first.]],
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
