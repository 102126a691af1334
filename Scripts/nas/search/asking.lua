-- Asking for trials: one, many, in flight, or going on with one.

local core = require "nas.core"
local Trial = require "nas.trial"
local Scope = require "nas.search.scope"
local ending = require "nas.search.ending"
local run = require "nas.search.running"
local Search = require("nas.search.class").methods

--- Finishes the oldest trials until no more than `window` are in flight.
local function shrink_window(search)
  local flying = 0
  for _, trial in ipairs(Scope.queue(search)) do
    if not trial.done then flying = flying + 1 end
  end
  for _, trial in ipairs(Scope.queue(search)) do
    if flying <= search.window then return end
    if not trial.done then
      run(search, trial)
      flying = flying - 1
    end
  end
end

--- Counts a request, and ends the search when its time has come.
local function begin_request(search)
  if search.ended then
    core.fail {
      message = ("the search '%s' has ended"):format(search.name),
      hint = "Ask for trials only while the strategy function of nas.search runs.",
    }
  end
  search.requests = search.requests + 1
  Scope.requested(search)
  ending.ask_stop_rules(search)
end

--- Writes down what is asked for.
local function decide(search, arch, decision)
  decision.search, decision.request, decision.arch = search.name, search.requests, arch:id()
  local inner = search.scopes[#search.scopes]
  decision.phase = inner.name
  core.decision(decision)
end

--- A trial that is known is handed out again, and charged again.
local function reuse(search, known)
  run(search, known)
  search.reused = search.reused + 1
  Scope.reused(search, known)
  decide(search, known.arch, { reuse = known.number })
  table.insert(Scope.queue(search), known)
  return known
end

--- Tells, once, that a search doesn't begin where the option `start` says: its strategy doesn't read it.
local function check_start(search, first)
  for _, arch in ipairs(search.start) do
    if arch:id() == first:id() then return end
  end
  if #search.start > 0 then
    core.warn(("the strategy of the search '%s' doesn't begin with the architectures of `start`: "
      .. "search:initial(n) gives them"):format(search.name))
  end
end

--- Puts a new trial in flight.
local function start(search, key, trial)
  search.started = trial.number
  if trial.number == 1 then check_start(search, trial.arch) end
  trial.scopes = Scope.open(search)
  Scope.began(trial)
  search.asked[key] = trial
  decide(search, trial.arch, { trial = trial.number })
  table.insert(Scope.queue(search), trial)
  shrink_window(search)
  return trial
end

local function forbidden(arch)
  core.fail {
    message = "the architecture was asked for before",
    got = tostring(arch),
    hint = 'Or search with duplicates = "reuse".',
  }
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
  begin_request(search)
  arch = search.space:make(arch)
  local key = arch:id() .. core.canonical(budget)
  local known = search.asked[key]
  if known and search.duplicates == "forbid" then forbidden(arch) end
  if known and search.duplicates == "reuse" then return reuse(search, known) end
  local asked_budget = {}
  for name, value in pairs(budget) do asked_budget[name] = value end
  if known then asked_budget["repeat"] = (known.budget["repeat"] or 0) + 1 end
  return start(search, key, Trial.new(search, search.started + 1, arch, asked_budget))
end)

--- Takes a trial out of those in flight once it is done.
local function take(search, trial)
  local queue = Scope.queue(search)
  for _, queued in ipairs(queue) do
    run(search, queued)
    if queued == trial then break end
  end
  for index = #queue, 1, -1 do
    if queue[index] == trial then
      table.remove(queue, index)
      break
    end
  end
  return Scope.delivered(search, trial)
end

Search.next = core.declare("search:next", {
  doc = "The next finished trial in the order asked, or nil when nothing is in flight.",
  context = "strategy",
  { "search", "any" },
  returns = "Trial?",
}, function(search)
  local trial = table.remove(Scope.queue(search), 1)
  if trial == nil then return nil end
  run(search, trial)
  return Scope.delivered(search, trial)
end)

Search.evaluate = core.declare("search:evaluate", {
  doc = "Evaluates one architecture and returns its trial. A failed trial has `failed` and ranks last.",
  context = "strategy",
  { "search", "any" },
  { "arch", "Architecture", doc = "of the search's space" },
  { "budget", "table<string, any>", default = {}, doc = "what the evaluator reads as `trial.budget`" },
  returns = "Trial",
  example = "local trial = search:evaluate(search.space:random(), { epochs = 3 })",
}, function(search, arch, budget) return take(search, search:submit(arch, budget)) end)

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
  local mine, queue = {}, Scope.queue(search)
  for _, trial in ipairs(trials) do
    run(search, trial)
    Scope.delivered(search, trial)
    mine[trial] = true
  end
  for index = #queue, 1, -1 do
    if mine[queue[index]] then table.remove(queue, index) end
  end
  return trials
end)

--- The epochs of a budget that goes on must be more than those behind it.
local function check_budget(trial, budget)
  local before, after = trial.budget.epochs, budget.epochs
  if type(before) == "number" and type(after) == "number" and after <= before then
    core.fail {
      message = ("search:continue: trial %d has gone that far already"):format(trial.number),
      expected = ("more than epochs = %d, all of them counted from the start"):format(before),
      got = ("epochs = %s"):format(core.show(after)),
    }
  end
end

Search.continue = core.declare("search:continue", {
  doc = [[
Goes on with a trial at a larger budget, from where its training stopped, and returns the new trial: `{ epochs = 9 }`
after a trial of 3 trains 6 more. The evaluator sees the earlier trial as `trial.continues`, and the first
`trial:network():fit` goes on from its weights, momentum, batch-norm statistics, epoch and random streams. With the same
schedule (`schedule_epochs` of nas.evaluators.train) that is bit for bit one training. A training state that is no
longer kept is computed again, to the same bits. Asked for again, it is the same trial.]],
  context = "strategy",
  { "search", "any" },
  { "trial", "Trial", doc = "one of this search, or of another with the same evaluator" },
  { "budget", "table<string, any>", doc = "as for search:evaluate, in all, not in addition" },
  returns = "Trial",
  example = "local longer = search:continue(trial, { epochs = 9 })",
}, function(search, trial, budget)
  if trial.search == nil or trial.search.evaluator ~= search.evaluator then
    core.fail {
      message = "search:continue goes on with trials of its own evaluator",
      expected = "what search:evaluate of this search returned",
      got = core.show(trial),
    }
  end
  run(trial.search, trial)
  check_budget(trial, budget)
  begin_request(search)
  local asked_budget = {}
  for name, value in pairs(budget) do asked_budget[name] = value end
  asked_budget["repeat"] = trial.budget["repeat"]
  local continued = Trial.new(search, search.started + 1, trial.arch, asked_budget, trial)
  local key = trial.arch:id() .. core.canonical(asked_budget) .. core.canonical(continued.chain)
  local known = search.asked[key]
  if known and search.duplicates == "forbid" then forbidden(trial.arch) end
  return take(search, known and reuse(search, known) or start(search, key, continued))
end)
