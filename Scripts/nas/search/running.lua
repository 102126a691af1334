-- Running one trial: the evaluator, what is measured for it, its journal entry, and what the search learns from it.

local core = require "nas.core"
local comparing = require "nas.search.comparing"
local objectives = require "nas.search.objectives"
local Scope = require "nas.search.scope"
local Trial = require "nas.trial"

--- Trials that may fail, when none succeeds, before the search gives up with the last reason.
local hopeless = 5

--- Metrics as the evaluator returned them, checked: numbers by name, the exact ones.
local function checked_metrics(metrics)
  if type(metrics) ~= "table" then
    core.fail { message = "wrong result of the evaluator", expected = "a table of metrics", got = core.show(metrics) }
  end
  local exact = {}
  for name, value in pairs(metrics) do exact[name] = core.number(value, "the evaluator", name) end
  return exact
end

--- Why an evaluator failed, from whatever it raised, and the line of the recipe where that is known.
local function reason_for(err)
  if type(err) == "table" and type(err.message) == "string" then
    return err.message, type(err.at) == "string" and err.at or nil
  end
  if type(err) == "string" then return err, err:match("^([^%s:]+:%d+): ") end
  if type(err) == "userdata" then
    local known, at = pcall(function() return err.at end)
    return tostring(err), known and type(at) == "string" and at or nil
  end
  return ("the evaluator raised an error without a text: error(%s)"):format(core.show(err))
end

--- Whether a trial with these metrics is on the Pareto front of what is known: only such networks are kept on disk.
local function would_join_front(search, exact, observed)
  local metrics = {}
  for name, value in pairs(exact) do metrics[name] = value end
  for name, value in pairs(observed) do metrics[name] = value end
  if core.violation(metrics, search.constraints) > 0 then return false end
  local trials = comparing.feasible(search.finished)
  table.insert(trials, 1, { metrics = metrics })
  for _, index in ipairs(core.pareto_front(trials, search.objectives)) do
    if index == 1 then return true end
  end
  return false
end

--- Whether the trial is the first to be finished. What the evaluator returns for it, if that is no table of metrics, is a
--- mistake of the recipe, which ends the search.
local function is_first(search) return #search.finished == 0 end

--- What the evaluator returns. A trial can't go on from one that failed.
local function evaluated(search, trial)
  local earlier = trial.continues
  if earlier and earlier.failed then
    core.fail { message = ("trial %d, from which it goes on, failed: %s"):format(earlier.number, earlier.failed) }
  end
  return (search.evaluator.run(trial))
end

--- The evaluator's metrics and what is measured beside them.
local function measured(search, trial, returned, observed)
  local exact = checked_metrics(returned)
  objectives.measure(search, trial, exact, observed)
  return exact
end

--- Evaluates a trial for real and returns what the journal keeps of it: the exact part and the observed part.
local function perform(search, trial)
  local observed, failed, failed_at = {}, nil, nil
  local ok, exact = pcall(evaluated, search, trial)
  -- What is built only to be measured isn't what the evaluator's result is of.
  local network = trial.kept or trial.built
  core.trial_network(network)
  if ok then
    if is_first(search) then checked_metrics(exact) end
    ok, exact = pcall(measured, search, trial, exact, observed)
  end
  if ok then
    objectives.check(search, exact, observed)
    failed = objectives.divergence(search, exact, observed)
  else
    failed, failed_at = reason_for(exact)
    exact = {}
  end
  exact.charged_seconds = trial.charged
  if not failed and network and would_join_front(search, exact, observed) then network:save() end
  return { metrics = exact, reports = trial.reports, failed = failed },
    { metrics = observed, failed_at = failed_at }
end

--- Fills a trial in from its recorded form.
local function fill_in(search, trial, effect)
  for name, value in pairs(effect.exact.metrics) do trial.metrics[name] = value + 0.0 end
  for name, value in pairs(effect.observed.metrics) do trial.metrics[name] = value + 0.0 end
  trial.failed = effect.exact.failed
  trial.reports = effect.exact.reports
  trial.seconds = trial.metrics.charged_seconds or effect.seconds
  trial.key = effect.key
  trial.built, trial.kept = nil, nil
  trial.done = true
  if trial.failed then
    for _, objective in ipairs(search.objectives) do
      trial.metrics[objective.name] = objective.direction == "max" and -math.huge or math.huge
    end
    trial.feasible, trial.violation = false, math.huge
  else
    trial.violation = core.violation(trial.metrics, search.constraints)
    trial.feasible = trial.violation == 0
  end
end

local function give_up_when_hopeless(search, trial)
  if search.scopes[1].failures == hopeless and #search.finished == hopeless then
    core.fail {
      message = ("the first %d trials of the search '%s' all failed"):format(hopeless, search.name),
      cause = trial.failed,
      hint = "Mend the cause and run the recipe again.",
    }
  end
end

--- Tells people how the trial went.
local function announce(search, trial, effect)
  local primary, best = search.objectives[1].name, search.best
  core.trial_done {
    search = search.name,
    trial = trial.number,
    value = not trial.failed and trial.metrics[primary] or nil,
    best = best and best.metrics[primary],
    failed = trial.failed,
    text = tostring(trial),
    seconds = effect.seconds,
    replayed = effect.replayed,
  }
end

--- Runs a trial, or takes it from the journal; either way the trial is filled in from the recorded form.
local function run(search, trial)
  if trial.done then return end
  local effect = core.trial {
    search = search.name,
    number = trial.number,
    arch = trial.arch,
    budget = trial.budget,
    chain = trial.chain,
    evaluator = search.evaluator,
    stream = trial:stream(),
    required = search.required,
    constraints = search.constraints,
    limits = search.limits,
    trial = trial,
    run = function() return perform(search, trial) end,
  }
  fill_in(search, trial, effect)
  Trial.finish(trial)
  search.finished[#search.finished + 1] = trial
  Scope.finished(trial)
  search.best = search.scopes[1].best
  if trial.failed then give_up_when_hopeless(search, trial) end
  announce(search, trial, effect)
end

return run
