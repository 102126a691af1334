-- A stretch of a search that has a stop rule of its own: the whole search, and each phase in it. It counts what is asked
-- for while it lasts; a stop rule sees these counts.

local core = require "nas.core"
local comparing = require "nas.search.comparing"

local Scope = {}

--- Seconds since the stretch's rule first asked for the time.
local function seconds(scope)
  local now = core.clock(scope.search.name)
  scope.began = scope.began or now
  return now - scope.began
end

core.register_class {
  name = "SearchState",
  object = "state",
  doc = "What a stop rule is asked with: function(state) returns a reason to stop, or nil to go on.",
  fields = {
    { "trials", "integer", doc = "trials started, failed ones included" },
    { "failed", "integer", doc = "trials that failed" },
    { "seconds", "number", doc = "that the search or phase has been active; time in which the run was down doesn't count" },
    { "cost", "number", doc = "the sum of the trials' seconds, of reused ones each time" },
    { "requests", "integer", doc = "architectures asked for, those answered by an earlier trial included" },
    { "best", "Trial", optional = true, doc = "the best trial so far that keeps the constraints" },
    { "history", "Trial[]", doc = "the trials that the strategy has got so far" },
    { "objectives", "table[]", doc = "{ name =, direction = } each, the primary one first" },
    { "objective", "fun(name?: string): table", doc = "{ name =, direction = } of an objective, the primary by default" },
    { "memory", "table", doc = "what rules remember: empty when the search or phase begins" },
  },
}

--- What a stop rule sees.
local fields = {
  seconds = seconds,
  trials = function(scope) return scope.started end,
  best = function(scope) return scope.best end,
  failed = function(scope) return scope.failures end,
  requests = function(scope) return scope.requests end,
  cost = function(scope) return scope.cost end,
  history = function(scope) return scope.history end,
  objectives = function(scope) return scope.search.objectives end,
  memory = function(scope) return scope.memory end,
  objective = function(scope)
    return function(name) return comparing.objective(scope.search, name) end
  end,
}

local function state_of(scope)
  return setmetatable({}, {
    __index = function(_, key)
      local field = fields[key]
      if not field then
        local names = {}
        for name in pairs(fields) do names[#names + 1] = name end
        core.fail { message = ("a stop rule's state has no '%s'"):format(tostring(key)), hint = core.suggest(tostring(key), names) }
      end
      return field(scope)
    end,
  })
end

--- A new stretch with a stop rule, or without one. `name` is nil for the whole search.
function Scope.new(search, name, rule)
  local scope = {
    search = search, name = name, rule = rule, token = core.token(),
    requests = 0, started = 0, failures = 0, idle = 0, cost = 0.0,
    history = {}, seen = {}, queue = {}, memory = {}, finishers = {},
  }
  scope.state = state_of(scope)
  return scope
end

--- The trials in flight that the strategy is yet to get, in the order asked.
function Scope.queue(search) return search.scopes[#search.scopes].queue end

--- The stretches that a search is in, as a list that stays as it is.
function Scope.open(search) return table.move(search.scopes, 1, #search.scopes, 1, {}) end

--- A request came.
function Scope.requested(search)
  for _, scope in ipairs(search.scopes) do scope.requests = scope.requests + 1 end
end

--- It brought a new trial.
function Scope.began(trial)
  for _, scope in ipairs(trial.scopes) do
    scope.started = scope.started + 1
    scope.idle = 0
  end
end

--- It was for a trial that is known: it is charged again, and brought nothing new.
function Scope.reused(search, trial)
  for _, scope in ipairs(search.scopes) do
    scope.idle = scope.idle + 1
    scope.cost = scope.cost + trial.seconds
  end
end

--- A trial is done.
function Scope.finished(trial)
  for _, scope in ipairs(trial.scopes) do
    scope.cost = scope.cost + trial.seconds
    if trial.failed then
      scope.failures = scope.failures + 1
    elseif trial.feasible and (not scope.best or scope.search:better(trial, scope.best)) then
      scope.best = trial
    end
  end
end

--- The strategy gets a trial; the first time, the trial joins the history.
function Scope.delivered(search, trial)
  for _, scope in ipairs(search.scopes) do
    if not scope.seen[trial] then
      scope.seen[trial] = true
      scope.history[#scope.history + 1] = trial
    end
  end
  return trial
end

return Scope
