-- Which of two trials is better: feasible before infeasible before failed (Deb 2000, section 3), then by an objective.

local core = require "nas.core"
local Search = require("nas.search.class").methods

local comparing = {}

--- The objective of that name, or the primary one. A metric that is none is judged by its name.
function comparing.objective(search, name)
  if name == nil then return search.objectives[1] end
  for _, objective in ipairs(search.objectives) do
    if objective.name == name then return objective end
  end
  return { name = name, direction = core.metric_direction(name) }
end

--- A function of a trial that returns its rank (2 feasible, 1 infeasible, 0 failed) and its score within that; higher
--- is better. NaN, or no value at all, is worst.
function comparing.score(search, by)
  local value, sign
  if type(by) == "function" then
    value, sign = function(trial) return by(trial.metrics) end, 1
  else
    local objective = comparing.objective(search, by)
    value, sign = function(trial) return trial.metrics[objective.name] end, objective.direction == "max" and 1 or -1
  end
  return function(trial)
    if trial.failed then return 0, 0 end
    if not trial.feasible then return 1, -trial.violation end
    local number = value(trial)
    if not number or number ~= number then return 2, -math.huge end
    return 2, sign * number
  end
end

--- A function(a, b) that says whether trial `a` is strictly better than `b`.
local function comparison(search, by)
  local score = comparing.score(search, by)
  return function(a, b)
    local rank_a, score_a = score(a)
    local rank_b, score_b = score(b)
    if rank_a ~= rank_b then return rank_a > rank_b end
    return score_a > score_b
  end
end

Search.better = core.declare("search:better", {
  doc = [[
Whether trial `a` is strictly better than trial `b`: by the primary objective, or by `by`. A trial that keeps the
constraints is better than one that doesn't; of two that don't, the one that violates them less; failed ones are worst.]],
  source = "Deb 2000, section 3 (constraints)",
  context = "strategy",
  { "search", "any" },
  { "a", "Trial", doc = "a finished trial" },
  { "b", "Trial", doc = "another" },
  {
    "by", "string|fun(metrics: table<string, number>): number", optional = true,
    doc = "a metric's name, or a function of the metrics of which higher is better",
  },
  returns = "boolean",
}, function(search, a, b, by) return comparison(search, by)(a, b) end)

Search.objective = core.declare("search:objective", {
  doc = "The objective of that name, or the primary one: { name, direction }, with the direction `max` or `min`.",
  context = "strategy",
  { "search", "any" },
  { "name", "string", optional = true, doc = "an objective or any metric; one that is no objective is judged by its name" },
  returns = "table # { name =, direction = }",
}, comparing.objective)

Search.rank = core.declare("search:rank", {
  doc = "The trials of a list, best first as by `search:better`; equal ones keep the order of their numbers.",
  context = "strategy",
  { "search", "any" },
  { "trials", "Trial[]", doc = "finished trials; the list itself stays as it is" },
  { "by", "string|fun(metrics: table<string, number>): number", optional = true, doc = "as for search:better" },
  returns = "Trial[]",
}, function(search, trials, by)
  local better, ranked = comparison(search, by), table.move(trials, 1, #trials, 1, {})
  table.sort(ranked, function(a, b)
    if better(a, b) then return true end
    if better(b, a) then return false end
    return a.number < b.number
  end)
  return ranked
end)

--- The trials of a list that succeeded and keep the constraints.
function comparing.feasible(trials)
  local kept = {}
  for _, trial in ipairs(trials) do
    if not trial.failed and trial.feasible then kept[#kept + 1] = trial end
  end
  return kept
end

return comparing
