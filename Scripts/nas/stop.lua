-- Stop rules. A rule is a function of the search's state that returns a reason, or nil to go on. It is asked at every
-- request. A table such as `{ trials = 60, minutes = 20 }` stands for `any` of the rules it names.
--
-- A rule has no variables of its own that change: what it remembers is in `state.memory`, a table that begins empty with
-- each search and each phase.

local core = require "nas.core"
local stop = {}

stop.trials = core.declare("nas.stop.trials", {
  doc = "Stops after `count` trials, failed ones included.",
  { "count", "integer", min = 1, doc = "trials" },
  returns = "fun(state: SearchState): string?",
}, function(count)
  return function(state)
    if state.trials >= count then return ("%d trials done"):format(count) end
  end
end)

stop.minutes = core.declare("nas.stop.minutes", {
  doc = "Stops when the search has been active for `minutes`; time in which the run was down doesn't count.",
  { "minutes", "number", min = 0, doc = "of active time" },
  returns = "fun(state: SearchState): string?",
}, function(minutes)
  return function(state)
    if state.seconds >= minutes * 60 then return ("%g minutes over"):format(minutes) end
  end
end)

stop.target = core.declare("nas.stop.target", {
  doc = "Stops when the best trial has reached `value` in `metric` (default: the primary objective).",
  { "value", "number", doc = "to be reached" },
  { "metric", "string", optional = true, doc = "default: the primary objective" },
  returns = "fun(state: SearchState): string?",
}, function(value, metric)
  return function(state)
    local best = state.best
    if not best then return nil end
    local objective = state.objective(metric)
    local reached = best.metrics[objective.name]
    if reached and (objective.direction == "max" and reached >= value or objective.direction == "min" and reached <= value) then
      return ("%s reached %g"):format(objective.name, value)
    end
  end
end)

stop.cost = core.declare("nas.stop.cost", {
  doc = [[
Stops when the trials have cost `seconds` of work together. A reused trial counts each time, also one that was taken from
another run, with what it cost the first time.]],
  { "seconds", "number", min = 0, doc = "of all trials together" },
  returns = "fun(state: SearchState): string?",
}, function(seconds)
  return function(state)
    if state.cost >= seconds then return ("a cost of %g seconds reached"):format(seconds) end
  end
end)

--- What a rule remembers of this search or phase.
local function memory_of(state, rule, initial)
  state.memory[rule] = state.memory[rule] or initial
  return state.memory[rule]
end

--- The value to be made large, of a trial that succeeded and keeps the constraints.
local function value_of(trial, by, state)
  if trial.failed or not trial.feasible then return nil end
  if type(by) == "function" then return by(trial.metrics) end
  local objective = state.objective(by)
  local value = trial.metrics[objective.name]
  return value and (objective.direction == "max" and value or -value)
end

stop.plateau = core.declare("nas.stop.plateau", {
  doc = [[
Stops when `trials` trials in a row were no better than the best before them, by more than `min_delta`. Failed trials
count, and those outside the constraints; before the first good one it doesn't stop. `plateau = 20` in a table of rules is
`{ trials = 20 }`.]],
  options = {
    { "trials", "integer", min = 1, doc = "in a row" },
    { "by", "string|function", optional = true, doc = "a metric, or function(metrics) → number; default: the primary objective" },
    { "min_delta", "number", min = 0, default = 0, doc = "what counts as better, in the metric's units" },
  },
  returns = "fun(state: SearchState): string?",
}, function(options)
  return function(state)
    local known = memory_of(state, options, { seen = 0, since = 0 })
    for index = known.seen + 1, #state.history do
      local value = value_of(state.history[index], options.by, state)
      if value and (known.best == nil or value > known.best + options.min_delta) then
        known.best, known.since = value, index
      end
      known.seen = index
    end
    if known.best and known.seen - known.since >= options.trials then
      local name = type(options.by) == "function" and "value" or state.objective(options.by).name
      return ("no better %s in %d trials"):format(name, options.trials)
    end
  end
end)

--- Whether a trial belongs on a front; if so, the front with it.
local function joined(front, trial, objectives)
  local trials = table.move(front, 1, #front, 2, { trial })
  local members, is_new = {}, false
  for _, index in ipairs(core.pareto_front(trials, objectives)) do
    members[#members + 1] = trials[index]
    is_new = is_new or index == 1
  end
  if not is_new then return nil end
  for _, member in ipairs(front) do
    local equal = true
    for _, objective in ipairs(objectives) do
      equal = equal and member.metrics[objective.name] == trial.metrics[objective.name]
    end
    if equal then return nil end
  end
  return members
end

stop.converged_front = core.declare("nas.stop.converged_front", {
  doc = [[
Stops when `trials` trials in a row left the Pareto front over all objectives as it was. `converged_front = 30` in a table
of rules is `{ trials = 30 }`.]],
  options = { { "trials", "integer", min = 1, doc = "in a row" } },
  returns = "fun(state: SearchState): string?",
}, function(options)
  return function(state)
    local known = memory_of(state, options, { seen = 0, since = 0, front = {} })
    for index = known.seen + 1, #state.history do
      local trial = state.history[index]
      local front = not trial.failed and trial.feasible and joined(known.front, trial, state.objectives)
      if front then known.front, known.since = front, index end
      known.seen = index
    end
    if #known.front > 0 and known.seen - known.since >= options.trials then
      return ("the Pareto front has not changed in %d trials"):format(options.trials)
    end
  end
end)

--- Rules that a bare number may stand for in a table of rules, and the option that it gives.
local shorthand = { plateau = "trials", converged_front = "trials" }

--- The rules that a list or a table names, as a list of functions.
local function rules_of(spec)
  local rules = {}
  for key, value in pairs(spec) do
    if type(key) == "number" then
      rules[#rules + 1] = core.stop_rule(value)
    else
      local make = rawget(stop, key)
      if make == nil or key == "any" or key == "all" then
        core.fail {
          message = "unknown stop rule '" .. tostring(key) .. "'",
          hint = core.suggest(tostring(key), { "trials", "minutes", "target", "plateau", "cost", "converged_front" }),
        }
      end
      if shorthand[key] and type(value) == "number" then value = { [shorthand[key]] = value } end
      rules[#rules + 1] = make(value)
    end
  end
  if #rules == 0 then
    core.fail { message = "a stop rule must name at least one condition", expected = "{ trials = 60 } or the like", got = "{}" }
  end
  return rules
end

--- A rule from what a recipe may write for one: a function, or a table of conditions.
function core.stop_rule(spec)
  if type(spec) == "function" then return spec end
  if type(spec) == "table" then return stop.any(spec) end
  core.fail { message = "wrong stop rule", expected = "a function or a table such as { trials = 60 }", got = core.show(spec) }
end

stop.any = core.declare("nas.stop.any", {
  doc = "Stops when any of the rules says so, with its reason.",
  { "rules", "table", doc = "rules in a list, conditions by name, or both" },
  returns = "fun(state: SearchState): string?",
  example = "stop = nas.stop.any { trials = 60, minutes = 20, my_rule }",
}, function(spec)
  local rules = rules_of(spec)
  return function(state)
    for _, rule in ipairs(rules) do
      local reason = rule(state)
      if reason then return reason end
    end
  end
end)

stop.all = core.declare("nas.stop.all", {
  doc = "Stops when all of the rules say so.",
  { "rules", "table", doc = "rules in a list, conditions by name, or both" },
  returns = "fun(state: SearchState): string?",
}, function(spec)
  local rules = rules_of(spec)
  return function(state)
    local reasons = {}
    for _, rule in ipairs(rules) do
      local reason = rule(state)
      if reason then reasons[#reasons + 1] = tostring(reason) end
    end
    if #reasons == #rules then return table.concat(reasons, " and ") end
  end
end)

return stop
