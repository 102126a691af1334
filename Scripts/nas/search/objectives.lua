-- The objectives and constraints of a search: what is checked of them when it begins, and what a trial must have
-- measured for them.

local core = require "nas.core"
local measures = require "nas.measures"

local objectives = {}

--- Objectives as a list of { name, direction }.
function objectives.checked(list)
  local checked, seen = {}, {}
  for index, entry in ipairs(list) do
    if type(entry) == "string" then entry = { entry, core.metric_direction(entry) } end
    local name, direction = entry[1], entry[2] or "max"
    if type(name) == "string" and direction ~= "max" and direction ~= "min" then
      core.fail {
        message = ("wrong direction of the objective '%s'"):format(name),
        expected = '"max" or "min"',
        got = core.show(direction),
      }
    end
    if type(name) ~= "string" then
      core.fail {
        message = ("wrong objective %d of nas.search"):format(index),
        expected = '{ "accuracy", "max" } or { "latency_ms", "min" }',
        got = core.show(entry),
      }
    end
    if seen[name] then core.fail { message = ("the objective '%s' is there twice"):format(name) } end
    seen[name] = true
    checked[index] = { name = name, direction = direction }
  end
  if #checked == 0 then
    core.fail {
      message = "nas.search needs a list of objectives",
      expected = 'objectives = { { "accuracy", "max" } }',
      got = next(list) == nil and "an empty table" or "a table with names",
    }
  end
  return checked
end

local function wrong_constraint(name, got)
  core.fail {
    message = ("wrong constraint '%s' of nas.search"):format(tostring(name)),
    expected = "{ max = number }, { min = number } or both",
    got = got,
  }
end

--- Constraints as { metric = { min =, max = } }, or nil when there is none.
function objectives.constraints(table)
  for name, bounds in pairs(table) do
    if type(name) ~= "string" or type(bounds) ~= "table" then wrong_constraint(name, core.show(bounds)) end
    for key, bound in pairs(bounds) do
      if key ~= "min" and key ~= "max" then wrong_constraint(name, ("the key '%s'"):format(tostring(key))) end
      if type(bound) ~= "number" or bound ~= bound then wrong_constraint(name, ("%s = %s"):format(key, core.show(bound))) end
    end
    if next(bounds) == nil then wrong_constraint(name, "{}") end
    if bounds.min and bounds.max and bounds.min > bounds.max then
      wrong_constraint(name, ("min = %g above max = %g"):format(bounds.min, bounds.max))
    end
  end
  return next(table) and table or nil
end

--- The names of all metrics that a trial of the search must have.
function objectives.required(search)
  local names, seen = {}, {}
  for _, objective in ipairs(search.objectives) do
    names[#names + 1] = objective.name
    seen[objective.name] = true
  end
  for name in pairs(search.constraints or {}) do
    if not seen[name] then names[#names + 1] = name end
  end
  return names
end

--- Fills in what the evaluator did not report but can be read off the network.
function objectives.measure(search, trial, exact, observed)
  for _, name in ipairs(search.required) do
    local measure = measures[name]
    -- What depends on the moment would differ each time that a resumed run looks a result up.
    if measure and measure.observed and search.evaluator.lookup then measure = nil end
    if exact[name] == nil and observed[name] == nil and measure then
      for key, value in pairs(measure.run(trial.kept or trial:network())) do
        (measure.observed and observed or exact)[key] = value + 0.0
      end
    end
  end
end

--- What is neither reported nor measured is a mistake of the recipe, not of a trial: it ends the search.
function objectives.check(search, exact, observed)
  for index, name in ipairs(search.required) do
    if exact[name] == nil and observed[name] == nil then
      local names = {}
      for known in pairs(exact) do names[#names + 1] = known end
      for known in pairs(measures) do names[#names + 1] = known end
      local is_measured = rawget(measures, name) ~= nil
      core.fail {
        message = ("the evaluator did not report the %s '%s', and it can't be measured"):format(
          index > #search.objectives and "constraint" or "objective", name),
        hint = is_measured and "It isn't where results are looked up: nas.evaluator { run = evaluator.run, data = … }"
          or core.suggest(name, names),
      }
    end
  end
end

--- Why these metrics make a failed trial: a primary objective or a loss that is not finite.
function objectives.divergence(search, exact, observed)
  local name = search.objectives[1].name
  local value = exact[name] or observed[name]
  local loss = exact.loss
  local function wrong(number)
    return number ~= number and "not a number" or math.abs(number) == math.huge and "infinite" or nil
  end
  if wrong(value) then return ("diverged: %s is %s"):format(name, wrong(value)) end
  if loss and wrong(loss) then return ("diverged: the loss is %s"):format(wrong(loss)) end
end

return objectives
