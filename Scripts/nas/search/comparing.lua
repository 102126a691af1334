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

--- Whether a trial was measured by that metric, without a note of what is missing.
local function has(trial, metric) return rawget(trial.metrics, metric) ~= nil end

--- An error for a metric that no successful trial has, of those that are compared or of the whole search.
local function check_known(search, metric, trials)
  local others = {}
  for _, list in ipairs { trials, search.finished } do
    for _, trial in ipairs(list) do
      if not trial.failed then
        if has(trial, metric) then return end
        for name in pairs(trial.metrics) do others[name] = true end
      end
    end
  end
  if next(others) == nil then return end
  local names = {}
  for name in pairs(others) do names[#names + 1] = name end
  table.sort(names)
  core.fail { message = ("there is no metric '%s'"):format(metric), hint = core.suggest(metric, names) }
end

--- Checks what trials are to be compared by: an objective, a metric of theirs, a function, nil for the primary objective.
local function check(search, by, trials)
  if type(by) ~= "string" then return end
  for _, objective in ipairs(search.objectives) do
    if objective.name == by then return end
  end
  check_known(search, by, trials)
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

--- Whether a rank and score is strictly better than another.
local function is_better(rank_a, score_a, rank_b, score_b)
  if rank_a ~= rank_b then return rank_a > rank_b end
  return score_a > score_b
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
}, function(search, a, b, by)
  check(search, by, { a, b })
  local score = comparing.score(search, by)
  local rank_a, score_a = score(a)
  return is_better(rank_a, score_a, score(b))
end)

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
  check(search, by, trials)
  local score, ranks, scores, numbers = comparing.score(search, by), {}, {}, {}
  for _, trial in ipairs(trials) do
    ranks[trial], scores[trial] = score(trial)
    numbers[trial] = trial.number
  end
  local ranked = table.move(trials, 1, #trials, 1, {})
  table.sort(ranked, function(a, b)
    if ranks[a] ~= ranks[b] then return ranks[a] > ranks[b] end
    if scores[a] ~= scores[b] then return scores[a] > scores[b] end
    return numbers[a] < numbers[b]
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
