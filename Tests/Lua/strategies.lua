-- Random search and regularised evolution on a function that is known.

local nas = require "nas"
local expect = require "expect"

-- MARK: regularised evolution, step by step, as in algorithm 1 of Real et al. (AAAI 2019)

-- A double of the search with numbers for architectures: the tournaments' draws and the values are given, so that the
-- parents and the members can be worked out by hand.
local values = { 5, 9, 7, 1, 8, 8, 2 }
local draws = {
  1, 3, -- of 1 2 3 (5 9 7): 3 wins; its child 4 comes, 1 goes
  1, 2, -- of 2 3 4 (9 7 1): 2 wins; its child 5 comes, 2 goes though it is the best
  2, 2, -- of 3 4 5 (7 1 8): 4, drawn twice, wins; 6 comes, 3 goes
  2, 3, -- of 4 5 6 (1 8 8): equal ones: the first drawn wins, 5; 7 comes, 4 goes
}
local parents, asked, position, enough = {}, 0, 0, {}
local double = { space = {}, rng = {} }
function double.rng:integer(low, high)
  expect.equal({ low, high }, { 1, 3 }) -- there are never more or fewer than 3 members
  position = position + 1
  return draws[position]
end
function double.space:random()
  asked = asked + 1
  return asked
end
function double.space:mutate(parent)
  parents[#parents + 1] = parent
  asked = asked + 1
  return asked
end
function double:initial(count)
  local archs = {}
  for index = 1, count do archs[index] = self.space:random() end
  return archs
end
function double:evaluate(arch)
  return { arch = arch, value = values[arch] }
end
function double:better(a, b) return a.value > b.value end

local strategy = nas.strategies.regularized_evolution { population = 3, sample = 2 }
local run = coroutine.wrap(function()
  local evaluate = double.evaluate
  double.evaluate = function(search, arch)
    local trial = evaluate(search, arch)
    if arch == 7 then coroutine.yield(enough) end
    return trial
  end
  strategy(double)
end)
expect.is_true(run() == enough)
expect.equal(parents, { 3, 2, 4, 5 })
expect.equal(position, #draws)

-- MARK: both strategies on a table

-- The number of 3×3 convolutions and a pseudo-random part that the architecture's id decides.
local function score(trial)
  local count = 0
  for node = 1, 3 do
    for _, operation in ipairs(trial.arch["node" .. node]) do
      if operation == "nor_conv_3x3" then count = count + 1 end
    end
  end
  local noise = 0
  for byte in trial.arch:id():gmatch(".") do noise = (noise * 31 + byte:byte()) % 1009 end
  return { accuracy = count + noise / 1009 }
end

local space = nas.spaces.nasbench201 {}
local function best_of(name, strategy)
  local result = nas.search { name = name, space = space, strategy = strategy, evaluate = score, stop = { trials = 100 } }
  expect.equal(#result.trials, 100)
  return result:best().metrics.accuracy
end
local evolved, drawn, wins = 0, 0, 0
for seed = 1, 20 do
  local a = best_of("evolution" .. seed, nas.strategies.regularized_evolution { population = 10, sample = 3 })
  local b = best_of("random" .. seed, nas.strategies.random {})
  evolved, drawn = evolved + a / 20, drawn + b / 20
  if a > b then wins = wins + 1 end
end
-- Random search finds 4 of 6 convolutions in 100 draws, seldom 5; evolution nearly always 5 or all 6.
expect.is_true(evolved > drawn + 0.5, ("evolution %g, random %g"):format(evolved, drawn))
expect.is_true(wins >= 16, ("evolution won %d of 20"):format(wins))

-- MARK: listed

local archs = { space:random(), space:random(), space:random() }
local listed = nas.search { space = space, strategy = nas.strategies.listed(archs), evaluate = score }
expect.equal(listed.reason, "the strategy ended")
for index, trial in ipairs(listed.trials) do expect.is_true(trial.arch == archs[index]) end
