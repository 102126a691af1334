-- What the suite of strategies does with one: searches on spaces whose values are known.

local nas = require "nas"
local landscape = require "nas.testing.landscape"
local spaces = require "nas.testing.spaces"
local watch = require "nas.testing.watch"

local cases = {}

--- Which trials fail, by their number: the first one never does, or the search would give up.
local failures = {
  none = function() end,
  some = function(number) if number % 3 == 2 then error("out of luck") end end,
  nan = function(number) return number % 3 == 2 and 0 / 0 or nil end,
  most = function(number) if number ~= 3 then error("out of luck") end end,
}

--- An evaluator of known values: accuracy, or an error to be minimised; and test_accuracy, which tells nothing and is
--- drawn anew by `hidden`.
local function evaluator(objective, failing, hidden)
  return function(trial)
    local value = failures[failing](trial.number) or landscape.value(trial.arch)
    local metrics = { test_accuracy = 100 * landscape.hash(hidden .. trial.arch:id()) }
    metrics[objective[1]] = objective[2] == "max" and value or 100 - value
    return metrics
  end
end

--- A search by the strategy: `space` by name, `trials` (nil: no end), `objective`, `failing`, `window`, `hidden`.
local function search(strategy, arguments, space, name, at_trial)
  local seen, objective = {}, arguments.objective or { "accuracy", "max" }
  local result = nas.search {
    name = name, space = space or spaces[arguments.space or "plain"](), strategy = strategy, objectives = { objective },
    evaluate = evaluator(objective, arguments.failing or "none", arguments.hidden or ""),
    stop = watch(arguments.trials, seen, at_trial), window = arguments.window or 1,
  }
  return result, seen
end

local function best_of(result)
  local best
  for _, trial in ipairs(result.trials) do
    if not trial.failed then
      local value = landscape.value(trial.arch)
      if not best or value > best then best = value end
    end
  end
  return best
end

--- One search. `before`: what happened earlier in the same VM: a "search" by the same strategy, "draws" of math.random.
--- A table that is asked and told is made `again` for each search, where the file can make one.
function cases.search(strategy, arguments, space, _, again)
  if arguments.before == "search" then
    search(strategy, { trials = 17 }, space, "before")
    if type(strategy) == "table" and again then strategy = again() end
  end
  if arguments.before == "draws" then
    for _ = 1, 7 do math.random() end
  end
  local result, seen = search(strategy, arguments, space, "case")
  return { reason = result.reason, trials = #result.trials, tampered = seen.tampered, waiting = seen.waiting }
end

--- The best of as many different random architectures.
local function best_drawn(space, count)
  local seen, best, drawn, tries = {}, -math.huge, 0, 0
  while drawn < count and tries < 50 * count do
    local arch = space:random()
    tries = tries + 1
    if not seen[arch] then
      seen[arch], drawn, best = true, drawn + 1, math.max(best, landscape.value(arch))
    end
  end
  return best
end

--- The best value of a search, and that of random search with the same number of architectures.
function cases.compare(strategy, arguments, space)
  local result = search(strategy, arguments, space, "case")
  local distinct, count = {}, 0
  for _, trial in ipairs(result.trials) do
    if not distinct[trial.arch] then distinct[trial.arch], count = true, count + 1 end
  end
  return { found = best_of(result), drawn = best_drawn((space or spaces.plain()):bind("drawn"), count) }
end

--- The memory in KB after some trials and after more.
function cases.memory(strategy, arguments, space)
  local used = {}
  search(strategy, arguments, space, "case", function(trials)
    if used[trials] or trials ~= arguments.early and trials ~= arguments.trials then return end
    collectgarbage()
    used[trials] = collectgarbage("count")
  end)
  return { early = used[arguments.early], late = used[arguments.trials] }
end

--- Whether every architecture that was asked for is valid.
function cases.valid(strategy, arguments)
  local space = spaces.valid()
  local result = search(strategy, arguments, space, "case")
  for _, trial in ipairs(result.trials) do
    local arch = trial.arch
    if arch.op1 == arch.op2 and arch.op3 ~= "a" then return { wrong = tostring(arch) } end
  end
  return {}
end

--- Whether the file gave a space with the strategy.
function cases.given(_, _, space) return { given = space ~= nil } end

return cases
