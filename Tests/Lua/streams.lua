-- Random numbers are named: a new consumer shifts nobody, and what a trial draws depends on the trial alone.

local nas = require "nas"
local expect = require "expect"

local function draw(stream, count)
  local numbers = {}
  for index = 1, count do numbers[index] = stream:uniform() end
  return numbers
end

-- MARK: streams

local first = draw(nas.stream("a"), 3)
draw(nas.stream("b"), 5)
local second = draw(nas.stream("a"), 3)
expect.is_true(first[1] ~= second[1], "a stream goes on")
expect.is_true(nas.stream("a") == nas.stream("a"))
local values, counts = { 10, 20, 30 }, {}
for _ = 1, 3000 do
  local value = nas.stream("c"):choice(values)
  counts[value] = (counts[value] or 0) + 1
end
for _, value in ipairs(values) do expect.near(counts[value], 1000, 4 * (3000 * 2 / 9) ^ 0.5) end
local list = { 1, 2, 3, 4, 5, 6, 7, 8 }
nas.stream("d"):shuffle(list)
table.sort(list)
expect.equal(list, { 1, 2, 3, 4, 5, 6, 7, 8 })
for _ = 1, 100 do
  local number = nas.stream("e"):integer(-2, 2)
  expect.is_true(number >= -2 and number <= 2)
end
expect.raises("wrong range", function() nas.stream("e"):integer(2, 1) end)

-- MARK: searches and trials

local space = nas.space { width = nas.int(1, 1000) }

--- The architectures that a search asks for and what its evaluator draws, when other work happens in between.
local function search(name, disturb)
  local lines = {}
  local result = nas.search {
    name = name, space = space, strategy = nas.strategies.random {}, stop = { trials = 4 },
    objectives = { { "luck", "max" } },
    evaluate = function(trial)
      return { luck = math.random(), other = nas.stream("a"):uniform(), third = trial.search.space:random().width }
    end,
  }
  for index, trial in ipairs(result.trials) do
    disturb()
    lines[index] = { trial.arch.width, trial.metrics.luck, trial.metrics.other, trial.metrics.third }
  end
  return result, lines
end

local before = math.random()
local quiet, lines = search("one", function() end)
local after = math.random()
local archs = {}
for index, trial in ipairs(quiet.trials) do archs[index] = trial.arch end

-- The same architectures in another order, with other consumers: each trial draws what it drew.
math.random()
local backwards = { archs[4], archs[3], archs[2], archs[1] }
local other = nas.search {
  name = "two", space = space, strategy = nas.strategies.listed(backwards), objectives = { { "luck", "max" } },
  evaluate = function(trial)
    return { luck = math.random(), other = nas.stream("a"):uniform() }
  end,
}
for index, trial in ipairs(other.trials) do
  expect.equal({ trial.metrics.luck, trial.metrics.other }, { lines[5 - index][2], lines[5 - index][3] })
end

-- The draws of the trials left the recipe's own streams alone.
local third = draw(nas.stream("a"), 1)
local copy = nas.search {
  name = "three", space = space, strategy = nas.strategies.listed(archs), objectives = { { "luck", "max" } },
  evaluate = function() return { luck = math.random() + math.random() } end,
}
expect.is_true(before ~= after and third[1] ~= lines[1][3] and #copy.trials == 4)

-- A build that draws is the same each time that it builds an architecture.
local nn = nas.nn
local random_widths = nas.space {
  op = nas.oneof { "a", "b", "c" },
  build = function(_, x, task)
    return nn.linear(nn.global_avg_pool(nn.conv2d(x, math.random(2, 60), { kernel = 3 })), task.classes)
  end,
}
local data = nas.data.open("shapes", { limit = 50, test_limit = 50 })
local one = random_widths:make { op = "a" }
local params = one:network(data).params
math.random()
expect.equal(one:network(data).params, params)
