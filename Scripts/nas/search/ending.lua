-- Ending: stop rules, phases, and what runs when either is over.

local core = require "nas.core"
local Scope = require "nas.search.scope"
local run = require "nas.search.running"
local strategy_of = require "nas.search.strategy"
local Search = require("nas.search.class").methods

--- Requests in a row that bring no new trial before the search counts as exhausted.
local patience = 1000

--- New trials after which a search without a stop rule is told of once.
local many = 100

local ending = {}

--- Ends a stretch: what is in flight is finished first, then the strategy is unwound.
local function stop(search, scope, reason)
  for _, open in ipairs(search.scopes) do
    for _, trial in ipairs(open.queue) do run(search, trial) end
  end
  core.unwind(scope.token, reason)
end

--- The reason that a rule gives, checked: a text, or nil to go on.
local function reason_of(scope)
  local reason = scope.rule and scope.rule(scope.state)
  if reason == nil or reason == false then return nil end
  if type(reason) ~= "string" or reason == "" then
    core.fail {
      message = "wrong result of a stop rule",
      expected = "why it stops, as a text, or nil to go on",
      got = core.show(reason),
    }
  end
  return reason
end

--- What an exhausted search left: a strategy that always asks for the same few isn't at the end of the space.
local function unknown_rest(search)
  local size, known, count = search.space:size(), {}, 0
  for _, trial in ipairs(search.finished) do
    local id = trial.arch:id()
    if not known[id] then count = count + 1 end
    known[id] = true
  end
  if not size or count >= size then return "" end
  return (", after %d of %.0f architectures"):format(count, size)
end

--- Asks the rules of the search and of its phases, the outermost first; called at every request.
function ending.ask_stop_rules(search)
  for _, scope in ipairs(search.scopes) do
    local reason = not scope.is_over and reason_of(scope)
    if reason then stop(search, scope, reason) end
  end
  local whole = search.scopes[1]
  if not whole.rule and whole.started == many and not whole.is_told then
    whole.is_told = true
    core.warn(("the search '%s' has no stop rule and has run %d trials: it ends when its strategy does. "
      .. "stop = { trials = … } ends it"):format(search.name, many))
  end
  if whole.idle >= patience and not whole.is_over then
    stop(search, whole, ("exhausted: %d requests in a row brought no new trial%s"):format(patience, unknown_rest(search)))
  end
end

Search.finish = core.declare("search:finish", {
  doc = [[
`fn(search)` runs once, after the strategy has ended or was stopped (asked for within a phase: after the phase). It may
evaluate: the final architecture of a supernet, say. The stop rule isn't asked any more.]],
  context = "strategy",
  { "search", "any" },
  { "fn", "fun(search: Search)", doc = "function(search)" },
  returns = "nothing",
}, function(search, fn)
  local finishers = search.scopes[#search.scopes].finishers
  finishers[#finishers + 1] = fn
end)

--- Runs what was put off until a stretch is over; its own rule is no longer asked. Then the stretch is left.
local function leave(search, scope, reason)
  while #scope.finishers > 0 do table.remove(scope.finishers, 1)(search) end
  for _, trial in ipairs(scope.queue) do
    run(search, trial)
    Scope.delivered(search, trial)
  end
  search.scopes[#search.scopes] = nil
  if scope.name then
    core.phase_ends { search = search.name, phase = scope.name, reason = reason, trials = scope.started }
  end
end

--- Runs fn(search) as a stretch of the search and returns the reason of its end: its rule's, or `otherwise`.
function ending.during(search, scope, fn, otherwise)
  local depth = #search.scopes + 1
  search.scopes[depth] = scope
  local ok, ended, reason = pcall(core.catch, scope.token, fn, search)
  if not ok then
    for inner = #search.scopes, depth, -1 do search.scopes[inner] = nil end
    error(ended, 0)
  end
  reason = ended and otherwise or reason
  -- A stop from outside found the phases within as they were.
  for inner = depth, #search.scopes do search.scopes[inner].is_over = true end
  for inner = #search.scopes, depth, -1 do leave(search, search.scopes[inner], reason) end
  return reason
end

Search.phase = core.declare("search:phase", {
  doc = [[
Runs fn(search) as a phase of the search, until its own stop rule fires or it returns. Returns the phase's trials, in
the order in which it got them, and the reason of its end. The rule counts from the phase's beginning. When the whole
search is stopped, the phase and everything around it end too.]],
  context = "strategy",
  { "search", "any" },
  { "name", "string", doc = "for the record" },
  { "options", "table", doc = "{ stop = rule }, a rule as nas.search takes it; {}: until fn returns" },
  { "fn", "fun(search: Search)|table", doc = "function(search), or anything else that nas.search takes as a strategy" },
  returns = "Trial[], string # the trials and the reason",
}, function(search, name, options, fn)
  for key in pairs(options) do
    if key ~= "stop" then
      core.fail {
        message = ("search:phase: unknown option '%s'"):format(tostring(key)),
        hint = core.suggest(tostring(key), { "stop" }),
      }
    end
  end
  local scope = Scope.new(search, name, options.stop and core.stop_rule(options.stop))
  local reason = ending.during(search, scope, strategy_of(fn, "search:phase"), "the phase ended")
  return scope.history, reason
end)

return ending
