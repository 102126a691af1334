-- `nas.search`: hands a strategy its `search` object, evaluates what it asks for, and ends by its stop rule.
--
-- Everything that costs time goes through `core.trial`, so that a resumed run takes it from the journal; everything
-- else is recomputed, and must therefore depend on nothing but the recipe and recorded results.

local core = require "nas.core"
local Result = require "nas.result"
local class = require "nas.search.class"
local objectives = require "nas.search.objectives"
local Scope = require "nas.search.scope"
local ending = require "nas.search.ending"
local strategy_of = require "nas.search.strategy"
local start_of = require "nas.search.initial"
require "nas.search.asking"

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

local function evaluator_of(evaluate)
  check_made("evaluate", evaluate)
  if type(evaluate) == "function" then return { run = evaluate, depends = {}, is_evaluator = true } end
  if not evaluate.is_evaluator then
    core.fail {
      message = "wrong evaluate of nas.search",
      expected = "a function, nas.evaluator{…} or nas.evaluators.…{…}",
      got = core.show(evaluate),
    }
  end
  return evaluate
end

--- The limits of a trial, { seconds =, memory_mb = }, or nil when there is none.
local function limits_of(limits)
  for name, value in pairs(limits) do
    if name ~= "seconds" and name ~= "memory_mb" then
      core.fail {
        message = ("nas.search: unknown limit '%s'"):format(tostring(name)),
        hint = core.suggest(tostring(name), { "seconds", "memory_mb" }),
      }
    end
    if type(value) ~= "number" or not (value > 0) then
      core.fail { message = ("nas.search: wrong limit '%s'"):format(name), expected = "a number above 0", got = core.show(value) }
    end
  end
  return next(limits) and limits or nil
end

local function new(options)
  local name = core.search_name(options.name, options.is_part)
  local search = setmetatable({
    name = name,
    space = options.space:bind("search/" .. name .. "/space"),
    rng = core.stream("search/" .. name .. "/strategy"),
    evaluator = evaluator_of(options.evaluate),
    objectives = objectives.checked(options.objectives),
    constraints = objectives.constraints(options.constraints),
    limits = limits_of(options.limits),
    checkpoint_mb = options.checkpoint_mb,
    window = options.window,
    duplicates = options.duplicates,
    scopes = {}, finished = {}, asked = {}, networks = {},
    requests = 0, started = 0, reused = 0, ended = false,
  }, class.metatable)
  search.required = objectives.required(search)
  search.start = start_of(search, options.start)
  return search
end

local function announce(search, stop)
  core.search_begins {
    name = search.name,
    objectives = search.objectives,
    constraints = search.constraints,
    limits = search.limits,
    checkpoint_mb = search.checkpoint_mb,
    planned = type(stop) == "table" and stop.trials or nil,
    space = search.space,
  }
end

--- What can't be missed at the end: that nothing succeeded, or nothing kept the constraints.
local function warn_of_nothing(search)
  local whole = search.scopes[1]
  if #search.finished == 0 or whole.best then return end
  if whole.failures == #search.finished then
    local last = search.finished[#search.finished]
    core.warn(("every trial of the search '%s' failed; the last: %s"):format(search.name, last.failed))
  else
    core.warn(("no trial of the search '%s' keeps the constraints"):format(search.name))
  end
end

--- Runs a search of checked options.
function core.run_search(options)
  check_made("strategy", options.strategy)
  local strategy = strategy_of(options.strategy, "nas.search")
  local search = new(options)
  local whole = Scope.new(search, nil, options.stop and core.stop_rule(options.stop))
  search.history = whole.history
  announce(search, options.stop)
  local reason = ending.during(search, whole, strategy, "the strategy ended")
  search.ended = true
  search.scopes[1] = whole
  warn_of_nothing(search)
  core.search_ends { name = search.name, reason = reason, reused = search.reused }
  return Result.new(search, reason)
end

return core.declare("nas.search", {
  doc = [[
Runs a search and returns its result. The strategy is a function of the `search` object; it may end by returning, or
run for ever and be ended by the stop rule. Trials are recorded before the strategy sees them, so a killed run goes on
where it was.]],
  options = {
    { "space", "Space", doc = "from nas.space or nas.spaces" },
    {
      "strategy", "fun(search: Search)|table",
      doc = "function(search), nas.strategies.…{…}, or a table: ask(self, search) → arch, budget, or nil at the end; "
        .. "tell(self, trial, search); finish(self, search)",
    },
    { "evaluate", "fun(trial: Trial): table<string, number>|table", doc = "function(trial) → metrics, nas.evaluator{…} or nas.evaluators.…{…}" },
    {
      "objectives", "table", default = { { "accuracy", "max" } },
      doc = 'ordered, the first is primary: { { "accuracy", "max" }, { "latency_ms", "min" } }',
    },
    {
      "constraints", "table", default = {},
      doc = "apart from objectives: { params = { max = 1e6 }, accuracy = { min = 60 } }; trials that keep them rank first",
    },
    { "stop", "table|fun(state: SearchState): string?", optional = true, doc = "a stop rule; without one, the strategy has to end by itself" },
    { "window", "integer", min = 1, default = 1, doc = "trials in flight at most" },
    {
      "duplicates", "string", one_of = { "reuse", "rerun", "forbid" }, default = "reuse",
      doc = "an architecture asked for again at the same budget: the same trial, charged again; a trial with other "
        .. "random numbers; an error",
    },
    { "start", "table", default = {}, doc = "architectures to begin with: result:top(10), or nas.warm_start { … }" },
    {
      "limits", "table", default = {},
      doc = "of each trial: { seconds = 60, memory_mb = 2000 }, the memory that the process grows by; a trial over one fails",
    },
    {
      "checkpoint_mb", "number", min = 0, default = 1000,
      doc = "most disk for training states that search:continue goes on from, in 10^6 bytes, until the run is finished",
    },
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
}, core.run_search)
