-- %% [markdown]
-- # A stop rule of your own
-- A stop rule is a function that is asked before every trial: it returns nothing to go on, or the reason to stop. Here
-- we write one that stops when one more trial promises too little, and look at what it would have saved.
-- `nasrun Recipes/05_own_stop_rule.lua`; a minute on one core.

local nas = require "nas"
local args = nas.args { data = "shapes", trials = 40, epochs = 3, gain = 1 }

-- %% [markdown]
-- ## The rule
-- If architectures are drawn at random, the next one beats all n before it with probability 1/(n + 1): after 9 trials,
-- one in ten. How much better would it be? About as much as good trials differ by now. The product of both is what one
-- more trial may be expected to bring, in per cent.
--
-- `state` has `trials`, `best`, `history`, `seconds`, `cost`, `failed`; a rule must not look at anything else, so that
-- a resumed run stops where it would have stopped.

--- Stops when the expected improvement of one more random trial is below `gain` per cent.
local function worth_it(gain)
  return function(state)
    local values = {}
    for _, trial in ipairs(state.history) do
      if not trial.failed then values[#values + 1] = trial.metrics.accuracy end
    end
    if #values < 8 then return nil end
    table.sort(values, function(a, b) return a > b end)
    -- How far apart good trials are: the best and the middle one.
    local spread = values[1] - values[#values // 2]
    local expected = spread / (#values + 1)
    if expected < gain then
      return ("after %d trials one more is worth %.2f %%, less than %g %%"):format(#values, expected, gain)
    end
  end
end

-- %% [markdown]
-- ## Trying it on a search that is over
-- A rule is a plain function, so it can be tried on the trials of a finished search: what would it have saved, and what
-- would it have cost? Forty random cells are trained once.

local data = nas.data.open(args.data, { valid = 0.3, limit = 1500 })
local space = nas.spaces.nasbench201 { channels = 4, cells = 1 }
local evaluate = nas.evaluators.train { data = data, epochs = args.epochs, batch = 32, lr = 0.1, every = 0 }
local whole = nas.search {
  name = "whole",
  space = space, strategy = nas.strategies.random {}, evaluate = evaluate, stop = { trials = args.trials },
}
print(whole)

--- After how many trials a rule would have stopped, and the best accuracy until then.
local function tried(rule)
  local history, best = {}, -math.huge
  for count, trial in ipairs(whole.trials) do
    if rule { history = history } then return count - 1, best end
    history[count] = trial
    if not trial.failed then best = math.max(best, trial.metrics.accuracy) end
  end
  return #whole.trials, best
end

local _, final = tried(function() end)
for _, gain in ipairs { 3, 2, 1, 0.5 } do
  local count, best = tried(worth_it(gain))
  print(("gain %-5g stops after %2d of %d trials at %5.2f %%, %.2f below the best of all"):format(
    gain, count, #whole.trials, best, final - best))
end

-- %% [markdown]
-- The smaller the gain that one asks for, the more trials and the nearer to the best: the rule turns a number that
-- nobody knows beforehand (how many trials?) into one that one can answer (what is an improvement worth to me?).
--
-- ## In a search
-- Rules combine: in `nas.stop.any` the first to say so ends the search, `nas.stop.all` waits for all. Whatever ended
-- it, the reason is in the result, and `nasrun show last` has it too.

local result = nas.search {
  name = "stopped",
  space = space,
  strategy = nas.strategies.regularized_evolution { population = 8, sample = 3 },
  evaluate = evaluate,
  stop = nas.stop.any { worth_it(args.gain), trials = args.trials },
}
print("stopped: " .. result.reason)
print("best:    " .. tostring(result:best()))
