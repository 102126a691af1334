-- Stop rules. A rule is a function of the search's state that returns a reason, or nil to go on. It is asked before
-- every new trial. A table such as `{ trials = 60, minutes = 20 }` stands for `any` of the rules it names.

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
          hint = core.suggest(tostring(key), { "trials", "minutes", "target" }),
        }
      end
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
    for index, rule in ipairs(rules) do
      local reason = rule(state)
      if not reason then return nil end
      reasons[index] = tostring(reason)
    end
    return table.concat(reasons, " and ")
  end
end)

return stop
