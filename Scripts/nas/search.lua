-- `nas.search`: hands a strategy its `search` object, evaluates what it asks for, and ends by its stop rule.
--
-- Everything that costs time goes through `core.effect`, so that a resumed run takes it from the journal; everything
-- else here is recomputed, and must therefore depend on nothing but the recipe and recorded results.

local core = require "nas.core"
local Trial = require "nas.trial"
local Result = require "nas.result"
local measures = require "nas.measures"

--- Requests in a row that bring no new trial before the search counts as exhausted.
local patience = 1000
--- Trials that may fail, when none succeeds, before the search gives up with the last reason.
local hopeless = 5

local Search = {}
local metatable = { __index = core.class_index(Search, "search", { "best", "ended", "planned", "stop_rule" }) }

core.class(metatable, {
  name = "Search",
  object = "search",
  doc = "A search at work, as its strategy sees it.",
  fields = {
    { "space", "Space", doc = "draws from the search's own random stream" },
    { "rng", "Stream", doc = "the strategy's random stream" },
    { "history", "Trial[]", doc = "the trials that the strategy has got so far, in that order" },
    { "window", "integer", doc = "trials in flight at most" },
    { "objectives", "table[]", doc = "{ name =, direction = } each, the primary one first" },
    { "best", "Trial", optional = true, doc = "the best trial so far; nil while none has succeeded" },
    { "name", "string", doc = "of the search" },
  },
})

core.register_class {
  name = "SearchState",
  object = "state",
  doc = "What a stop rule is asked with: function(state) returns a reason to stop, or nil to go on.",
  fields = {
    { "trials", "integer", doc = "trials started, failed ones included" },
    { "failed", "integer", doc = "trials that failed" },
    { "seconds", "number", doc = "that the search has been active; time in which the run was down doesn't count" },
    { "cost", "number", doc = "the sum of the trials' seconds, reused ones by their recorded time" },
    { "requests", "integer", doc = "architectures asked for, those answered by an earlier trial included" },
    { "best", "Trial", optional = true, doc = "the best trial so far" },
    { "history", "Trial[]", doc = "the trials that the strategy has got so far" },
    { "objective", "fun(name?: string): table", doc = "{ name =, direction = } of an objective, the primary by default" },
  },
}

-- MARK: comparing

--- The objective of that name, or the primary one.
function Search:objective(name)
  if name == nil then return self.objectives[1] end
  for _, objective in ipairs(self.objectives) do
    if objective.name == name then return objective end
  end
  return { name = name, direction = core.metric_direction(name) }
end

--- A function(a, b) that says whether trial `a` is strictly better than `b`. Failed trials and NaN are worst.
function Search:comparison(by)
  local value, sign
  if type(by) == "function" then
    value, sign = function(trial) return by(trial.metrics) end, 1
  else
    local objective = self:objective(by)
    value, sign = function(trial) return trial.metrics[objective.name] end, objective.direction == "max" and 1 or -1
  end
  local function score(trial)
    local number = not trial.failed and value(trial)
    if not number or number ~= number then return -math.huge end
    return sign * number
  end
  return function(a, b) return score(a) > score(b) end
end

Search.better = core.declare("search:better", {
  doc = "Whether trial `a` is strictly better than trial `b` by the primary objective, or by `by`. Failed trials are worst.",
  context = "strategy",
  { "search", "any" },
  { "a", "Trial", doc = "a finished trial" },
  { "b", "Trial", doc = "another" },
  {
    "by", "string|fun(metrics: table<string, number>): number", optional = true,
    doc = "a metric's name, or a function of the metrics of which higher is better",
  },
  returns = "boolean",
}, function(search, a, b, by) return search:comparison(by)(a, b) end)

Search.rank = core.declare("search:rank", {
  doc = "The trials of a list, best first; equal ones keep the order of their numbers.",
  context = "strategy",
  { "search", "any" },
  { "trials", "Trial[]", doc = "finished trials; the list itself stays as it is" },
  { "by", "string|fun(metrics: table<string, number>): number", optional = true, doc = "as for search:better" },
  returns = "Trial[]",
}, function(search, trials, by)
  local better, ranked = search:comparison(by), table.move(trials, 1, #trials, 1, {})
  table.sort(ranked, function(a, b)
    if better(a, b) then return true end
    if better(b, a) then return false end
    return a.number < b.number
  end)
  return ranked
end)

-- MARK: running one trial

--- Metrics as the evaluator returned them, checked: numbers by name, the exact ones.
local function checked_metrics(metrics)
  if type(metrics) ~= "table" then
    core.fail { message = "wrong result of the evaluator", expected = "a table of metrics", got = core.show(metrics) }
  end
  local exact = {}
  for name, value in pairs(metrics) do exact[name] = core.number(value, "the evaluator", name) end
  return exact
end

--- Fills in the objectives that the evaluator did not report but that can be read off the network.
local function measure_objectives(search, trial, exact, observed)
  for _, objective in ipairs(search.objectives) do
    local name = objective.name
    local measure = measures[name]
    if exact[name] == nil and observed[name] == nil and measure then
      for key, value in pairs(measure.run(trial:network())) do
        (measure.observed and observed or exact)[key] = value + 0.0
      end
    end
  end
end

--- An objective that is neither reported nor measured is a mistake of the recipe, not of a trial: it ends the search.
local function check_objectives(search, exact, observed)
  for _, objective in ipairs(search.objectives) do
    local name = objective.name
    if exact[name] == nil and observed[name] == nil then
      local names = {}
      for known in pairs(exact) do names[#names + 1] = known end
      for known in pairs(measures) do names[#names + 1] = known end
      core.fail {
        message = ("the evaluator did not report the objective '%s', and it can't be measured"):format(name),
        hint = core.suggest(name, names),
      }
    end
  end
end

--- Why these metrics make a failed trial: a primary objective or a loss that is not finite.
local function divergence(search, exact, observed)
  local name = search.objectives[1].name
  local value = exact[name] or observed[name]
  local loss = exact.loss
  local function wrong(number)
    return number ~= number and "not a number" or math.abs(number) == math.huge and "infinite" or nil
  end
  if wrong(value) then return ("diverged: %s is %s"):format(name, wrong(value)) end
  if loss and wrong(loss) then return ("diverged: the loss is %s"):format(wrong(loss)) end
end

--- Why an evaluator failed, from whatever it raised.
local function reason_for(err)
  if type(err) == "table" and type(err.message) == "string" then return err.message end
  if type(err) == "string" or type(err) == "userdata" then return tostring(err) end
  return ("the evaluator raised an error without a text: error(%s)"):format(core.show(err))
end

--- Evaluates a trial for real and returns what the journal keeps of it: the exact part and the observed part.
local function perform(search, trial)
  local observed = {}
  local ok, exact = pcall(function()
    local exact = checked_metrics(search.evaluator.run(trial))
    measure_objectives(search, trial, exact, observed)
    return exact
  end)
  local failed
  if ok then
    check_objectives(search, exact, observed)
    failed = divergence(search, exact, observed)
  else
    failed, exact = reason_for(exact), {}
  end
  if not failed and trial.built and search:would_join_front(exact, observed) then
    trial.built:save()
  end
  return { metrics = exact, reports = trial.reports, failed = failed }, { metrics = observed }
end

--- Whether a trial with these metrics is on the Pareto front of what is known: only such networks are kept on disk.
function Search:would_join_front(exact, observed)
  local metrics = {}
  for name, value in pairs(exact) do metrics[name] = value end
  for name, value in pairs(observed) do metrics[name] = value end
  local trials = { { metrics = metrics } }
  for _, trial in ipairs(self.finished) do
    if not trial.failed then trials[#trials + 1] = trial end
  end
  for _, index in ipairs(core.pareto_front(trials, self.objectives)) do
    if index == 1 then return true end
  end
  return false
end

--- Runs a trial, or takes it from the journal; either way the trial is filled in from the recorded form.
function Search:run(trial)
  if trial.done then return end
  local effect = core.trial {
    search = self.name,
    number = trial.number,
    arch = trial.arch,
    budget = trial.budget,
    evaluator = self.evaluator,
    stream = trial:stream(),
    planned = self.planned,
    objectives = self.objectives,
    run = function() return perform(self, trial) end,
  }
  for name, value in pairs(effect.exact.metrics) do trial.metrics[name] = value + 0.0 end
  for name, value in pairs(effect.observed.metrics) do trial.metrics[name] = value + 0.0 end
  trial.failed = effect.exact.failed
  trial.reports = effect.exact.reports
  trial.seconds = effect.seconds
  trial.built = nil
  trial.done = true
  self.cost = self.cost + trial.seconds
  self.finished[#self.finished + 1] = trial
  if trial.failed then
    self.failures = self.failures + 1
    for _, objective in ipairs(self.objectives) do
      trial.metrics[objective.name] = objective.direction == "max" and -math.huge or math.huge
    end
    self:give_up_when_hopeless(trial)
  elseif not self.best or self:better(trial, self.best) then
    self.best = trial
  end
  local primary = self.objectives[1].name
  core.trial_done {
    search = self.name,
    trial = trial.number,
    value = not trial.failed and trial.metrics[primary] or nil,
    best = self.best and self.best.metrics[primary],
    failed = trial.failed,
    text = tostring(trial),
    seconds = trial.seconds,
    replayed = effect.replayed,
  }
end

function Search:give_up_when_hopeless(trial)
  if self.failures == hopeless and #self.finished == hopeless then
    core.fail {
      message = ("the first %d trials of the search '%s' all failed"):format(hopeless, self.name),
      cause = trial.failed,
      hint = "Mend the cause and run the recipe again.",
    }
  end
end

-- MARK: asking

--- What a stop rule sees.
local state_fields = {
  seconds = function(search) return core.clock(search.name) end,
  trials = function(search) return search.started end,
  best = function(search) return search.best end,
  failed = function(search) return search.failures end,
  requests = function(search) return search.requests end,
  cost = function(search) return search.cost end,
  history = function(search) return search.history end,
  objective = function(search) return function(name) return search:objective(name) end end,
}

local function state_of(search)
  return setmetatable({}, {
    __index = function(_, key)
      local field = state_fields[key]
      if not field then
        local names = {}
        for name in pairs(state_fields) do names[#names + 1] = name end
        core.fail { message = ("a stop rule's state has no '%s'"):format(tostring(key)), hint = core.suggest(tostring(key), names) }
      end
      return field(search)
    end,
  })
end

--- Ends the search: what is in flight is finished first, then the strategy is unwound.
local function stop(search, reason)
  for _, trial in ipairs(search.queue) do search:run(trial) end
  core.unwind(search.token, reason)
end

--- Asks the stop rule; called at every request.
local function ask_stop_rule(search)
  local reason = search.stop_rule and search.stop_rule(search.state)
  if reason then stop(search, tostring(reason)) end
  if search.idle_requests >= patience then
    stop(search, ("exhausted: %d requests in a row brought no new trial"):format(patience))
  end
end

Search.submit = core.declare("search:submit", {
  doc = [[
Asks for a trial without waiting for it; `search:next()` returns results in the order asked. When `window` trials are
in flight, the oldest is finished first. An architecture asked for again at the same budget follows the search's
`duplicates` policy.]],
  context = "strategy",
  { "search", "any" },
  { "arch", "Architecture", doc = "of the search's space" },
  { "budget", "table<string, any>", default = {}, doc = "what the evaluator reads as `trial.budget`, such as { epochs = 9 }" },
  returns = "Trial # which is finished when search:next has returned it",
}, function(search, arch, budget)
  if search.ended then
    core.fail {
      message = ("the search '%s' has ended"):format(search.name),
      hint = "Ask for trials only while the strategy function of nas.search runs.",
    }
  end
  search.requests = search.requests + 1
  ask_stop_rule(search)
  arch = search.space:make(arch)
  local key = arch:id() .. core.canonical(budget)
  local known = search.asked[key]
  if known and search.duplicates == "forbid" then
    core.fail { message = "the architecture was asked for before", got = tostring(arch), hint = 'Or search with duplicates = "reuse".' }
  elseif known and search.duplicates == "reuse" then
    search.reused = search.reused + 1
    search.idle_requests = search.idle_requests + 1
    search.cost = search.cost + known.seconds
    core.decision { search = search.name, request = search.requests, arch = arch:id(), reuse = known.number }
    search.queue[#search.queue + 1] = known
    return known
  end
  local asked_budget = {}
  for name, value in pairs(budget) do asked_budget[name] = value end
  if known then asked_budget["repeat"] = (known.budget["repeat"] or 0) + 1 end
  search.started = search.started + 1
  search.idle_requests = 0
  local trial = Trial.new(search, search.started, arch, asked_budget)
  search.asked[key] = trial
  core.decision { search = search.name, request = search.requests, arch = arch:id(), trial = trial.number }
  search.queue[#search.queue + 1] = trial
  search:shrink_window()
  return trial
end)

--- Finishes the oldest trials until no more than `window` are in flight.
function Search:shrink_window()
  local flying = 0
  for _, trial in ipairs(self.queue) do
    if not trial.done then flying = flying + 1 end
  end
  for _, trial in ipairs(self.queue) do
    if flying <= self.window then return end
    if not trial.done then
      self:run(trial)
      flying = flying - 1
    end
  end
end

--- Hands a finished trial to the strategy; the first time, it joins the history.
local function deliver(search, trial)
  if not trial.delivered then
    trial.delivered = true
    search.history[#search.history + 1] = trial
  end
  return trial
end

Search.next = core.declare("search:next", {
  doc = "The next finished trial in the order asked, or nil when nothing is in flight.",
  context = "strategy",
  { "search", "any" },
  returns = "Trial?",
}, function(search)
  local trial = table.remove(search.queue, 1)
  if trial == nil then return nil end
  search:run(trial)
  return deliver(search, trial)
end)

Search.evaluate = core.declare("search:evaluate", {
  doc = "Evaluates one architecture and returns its trial. A failed trial has `failed` and ranks last.",
  context = "strategy",
  { "search", "any" },
  { "arch", "Architecture", doc = "of the search's space" },
  { "budget", "table<string, any>", default = {}, doc = "what the evaluator reads as `trial.budget`" },
  returns = "Trial",
  example = "local trial = search:evaluate(search.space:random(), { epochs = 3 })",
}, function(search, arch, budget)
  local trial = search:submit(arch, budget)
  for _, queued in ipairs(search.queue) do
    search:run(queued)
    if queued == trial then break end
  end
  for index = #search.queue, 1, -1 do
    if search.queue[index] == trial then
      table.remove(search.queue, index)
      break
    end
  end
  return deliver(search, trial)
end)

Search.map = core.declare("search:map", {
  doc = "Evaluates a list of architectures, up to `window` at a time, and returns their trials in the same order.",
  context = "strategy",
  { "search", "any" },
  { "archs", "Architecture[]|function", doc = "a list, or an iterator such as space:neighbors(arch) gives" },
  { "budget", "table<string, any>", default = {}, doc = "what the evaluator reads as `trial.budget`" },
  returns = "Trial[]",
}, function(search, archs, budget)
  local trials = {}
  if type(archs) == "function" then
    for arch in archs do trials[#trials + 1] = search:submit(arch, budget) end
  else
    for index, arch in ipairs(archs) do trials[index] = search:submit(arch, budget) end
  end
  for _, trial in ipairs(trials) do
    search:run(trial)
    deliver(search, trial)
  end
  local waiting = {}
  for _, trial in ipairs(search.queue) do
    if not trial.delivered then waiting[#waiting + 1] = trial end
  end
  search.queue = waiting
  return trials
end)

-- MARK: the search itself

--- Objectives as a list of { name, direction }.
local function checked_objectives(list)
  local objectives, seen = {}, {}
  for index, entry in ipairs(list) do
    if type(entry) == "string" then entry = { entry, core.metric_direction(entry) } end
    local name, direction = entry[1], entry[2] or "max"
    if type(name) ~= "string" or (direction ~= "max" and direction ~= "min") then
      core.fail {
        message = ("wrong objective %d of nas.search"):format(index),
        expected = '{ "accuracy", "max" } or { "latency_ms", "min" }',
        got = core.show(entry),
      }
    end
    if seen[name] then core.fail { message = ("the objective '%s' is there twice"):format(name) } end
    seen[name] = true
    objectives[index] = { name = name, direction = direction }
  end
  if #objectives == 0 then
    core.fail {
      message = "nas.search needs a list of objectives",
      expected = 'objectives = { { "accuracy", "max" } }',
      got = next(list) == nil and "an empty table" or "a table with names",
    }
  end
  return objectives
end

--- A common slip: the function that makes a strategy or an evaluator, not what it makes.
local function check_made(option, value)
  local name = core.makers[value]
  if name then
    core.fail {
      message = ("nas.search: wrong option '%s'"):format(option),
      expected = ("what %s makes"):format(name),
      got = name .. " itself",
      hint = ("Call it: %s { … }."):format(name),
    }
  end
end

local function new(options)
  check_made("strategy", options.strategy)
  check_made("evaluate", options.evaluate)
  local name = core.search_name(options.name)
  local evaluator = options.evaluate
  if type(evaluator) == "function" then evaluator = { run = evaluator, depends = {}, is_evaluator = true } end
  if not evaluator.is_evaluator then
    core.fail { message = "wrong evaluate of nas.search", expected = "a function, nas.evaluator{…} or nas.evaluators.…{…}", got = core.show(evaluator) }
  end
  local search = setmetatable({
    name = name,
    space = options.space:bind("search/" .. name .. "/space"),
    rng = core.stream("search/" .. name .. "/strategy"),
    evaluator = evaluator,
    objectives = checked_objectives(options.objectives),
    window = options.window,
    duplicates = options.duplicates,
    token = core.token(),
    history = {}, finished = {}, queue = {}, asked = {},
    requests = 0, started = 0, failures = 0, reused = 0, idle_requests = 0, cost = 0.0,
  }, metatable)
  search.stop_rule = options.stop and core.stop_rule(options.stop)
  search.planned = type(options.stop) == "table" and options.stop.trials or nil
  search.state = state_of(search)
  return search
end

return core.declare("nas.search", {
  doc = [[
Runs a search and returns its result. The strategy is a function of the `search` object; it may end by returning, or
run for ever and be ended by the stop rule. Trials are recorded before the strategy sees them, so a killed run goes on
where it was.]],
  options = {
    { "space", "Space", doc = "from nas.space or nas.spaces" },
    { "strategy", "fun(search: Search)", doc = "function(search), or nas.strategies.…{…}" },
    { "evaluate", "fun(trial: Trial): table<string, number>|table", doc = "function(trial) → metrics, nas.evaluator{…} or nas.evaluators.…{…}" },
    { "objectives", "table", default = { { "accuracy", "max" } }, doc = 'ordered, the first is primary: { { "accuracy", "max" }, { "latency_ms", "min" } }' },
    { "stop", "table|fun(state: SearchState): string?", optional = true, doc = "a stop rule; without one, the strategy has to end by itself" },
    { "window", "integer", min = 1, default = 1, doc = "trials in flight at most" },
    { "duplicates", "string", one_of = { "reuse", "rerun", "forbid" }, default = "reuse", doc = "an architecture asked for again" },
    { "name", "string", optional = true, doc = "default: search1, search2, … in the order of the recipe" },
  },
  returns = "Result",
  example = [[
local result = nas.search {
  space = nas.spaces.nasbench201 { channels = 8, cells = 1 },
  strategy = nas.strategies.random {},
  evaluate = nas.evaluators.train { data = data, epochs = 3 },
  stop = { trials = 20 },
}]],
}, function(options)
  local search = new(options)
  core.search_begins { name = search.name, objectives = search.objectives, planned = search.planned, space = search.space }
  local ended, reason = core.catch(search.token, options.strategy, search)
  if ended then
    reason = "the strategy ended"
    for _, trial in ipairs(search.queue) do search:run(trial) end
  end
  for _, trial in ipairs(search.finished) do deliver(search, trial) end
  search.ended = true
  if #search.finished > 0 and search.failures == #search.finished then
    core.warn(("every trial of the search '%s' failed; the last: %s"):format(search.name, search.finished[#search.finished].failed))
  end
  core.search_ends { name = search.name, reason = reason, reused = search.reused }
  return Result.new(search, reason)
end)
