-- Grid, local search, REINFORCE and the LSTM controller, on functions that are known.

local nas = require "nas"
local expect = require "expect"

local function error_of(fn, ...)
  local ok, err = pcall(fn, ...)
  expect.is_true(not ok, "no error")
  return (tostring(err):gsub("^[%w_%.]+:%d+: ", ""))
end

-- MARK: grid

local function grid_of(name, space, options)
  local result = nas.search {
    name = name, space = space, strategy = nas.strategies.grid(options or {}),
    evaluate = function() return { accuracy = 1 } end,
  }
  expect.equal(result.reason, "the strategy ended")
  local archs = {}
  for index, trial in ipairs(result.trials) do archs[index] = trial.arch end
  return archs
end

-- A finite space with every kind of decision: the grid is the space's own list, in its order.
local finite = nas.space {
  op = nas.oneof { "skip", { kind = "conv", kernel = nas.oneof { 3, 5 } } },
  widths = nas.list(nas.int(1, 2), nas.int(8, 24, { step = 8 })),
  edges = nas.manyof(2, { "a", "b", "c" }),
  order = nas.manyof(2, { 1, 2 }, { ordered = true }),
  twice = nas.manyof(2, { 1, 2 }, { distinct = false }),
  valid = function(arch) return arch.op == "skip" or #arch.widths == 1 end,
}
local listed = {}
for arch in finite:iterate() do listed[#listed + 1] = arch end
-- 3 pairs, 2 orders, 3 multisets; widths: 3 and 9 for skip, 3 for each of the two kernels.
expect.equal(#listed, (12 + 6) * 3 * 2 * 3)
local archs = grid_of("finite", finite)
expect.equal(#archs, #listed)
for index, arch in ipairs(archs) do expect.is_true(arch == listed[index], "architecture " .. index) end

-- Ranges at levels: both ends, even in the logarithm; whole numbers only where asked.
local ranges = nas.space { lr = nas.float(0.001, 0.1, { log = true }), rate = nas.float(0, 1), width = nas.int(1, 9) }
local seen = { lr = {}, rate = {}, width = {} }
for _, arch in ipairs(grid_of("ranges", ranges, { levels = 3 })) do
  for name, values in pairs(seen) do values[arch[name]] = (values[arch[name]] or 0) + 1 end
end
expect.equal(seen, {
  lr = { [0.001] = 9, [0.01] = 9, [0.1] = 9 }, rate = { [0.0] = 9, [0.5] = 9, [1.0] = 9 },
  width = { [1] = 9, [5] = 9, [9] = 9 },
})
expect.equal(
  error_of(grid_of, "real", ranges),
  "space.lr: nas.strategies.grid: a real number has no next value: expected levels = how many values of each range "
    .. "to try. Or narrow it to some values with space:fix.")

-- MARK: local search

local ops = { "a", "b", "c" }
local edges = nas.space { edges = nas.list(4, nas.oneof(ops)) }
local value = { a = 0, b = 1, c = 2 }

--- A sum over the edges: one peak, at c c c c, and every step up is one edge.
local function hill(trial)
  local sum = 0
  for _, op in ipairs(trial.arch.edges) do sum = sum + value[op] end
  return { accuracy = sum }
end

-- Best improvement on the hill: each step puts one edge at c, so that a start with k edges elsewhere takes k steps, and
-- after the last the 8 neighbours of the peak are looked at.
local climb = nas.search {
  name = "climb", space = edges, evaluate = hill, duplicates = "rerun",
  strategy = nas.strategies.local_search { improvement = "best", initial = 1, restarts = 0 },
}
expect.equal(climb.reason, "the strategy ended")
local elsewhere = 0
for _, op in ipairs(climb.trials[1].arch.edges) do
  if op ~= "c" then elsewhere = elsewhere + 1 end
end
expect.equal(#climb.trials, 1 + 8 * (elsewhere + 1))
expect.equal(climb:best().metrics.accuracy, 8)

-- First improvement reaches it too, and with fewer trials than all neighbours of every step.
local first = nas.search {
  name = "first", space = edges, evaluate = hill,
  strategy = nas.strategies.local_search { initial = 1, restarts = 0 },
}
expect.equal(first:best().metrics.accuracy, 8)

-- A flat function has no step: each start is its 2 architectures and 8 neighbours of the first.
local flat = nas.search {
  name = "flat", space = edges, evaluate = function() return { accuracy = 1 } end, duplicates = "rerun",
  strategy = nas.strategies.local_search { improvement = "best", initial = 2, restarts = 2 },
}
expect.equal(#flat.trials, 3 * (2 + 8))

-- MARK: REINFORCE by hand

-- Two options with equal logits; the first is drawn twice, for rewards of 1 and 2. The first advantage is 0 by the
-- baseline's correction. The second's gradient g moves Adam, at its second step, by lr · 0.1 g / (1 - 0.9²) over
-- √(0.001 g² / (1 - 0.999²)) = 0.744137 lr in each logit, whatever g is. So the first option's probability is then
-- 1 / (1 + e^(-2 · 0.744137)) = 0.81582 at lr = 1: just below it the third draw takes the first option, just above the
-- second.
local letters = nas.space { op = nas.oneof { "a", "b" } }
local function third_draw(uniform)
  local draws, taken, enough = { 0.2, 0.2, uniform }, {}, {}
  local double = { space = letters, rng = {}, objectives = { { name = "accuracy", direction = "max" } } }
  function double.rng:normal() return 0 end
  function double.rng:uniform() return table.remove(draws, 1) end
  function double:evaluate(arch)
    taken[#taken + 1] = arch.op
    if #taken == 3 then error(enough) end
    return { arch = arch, metrics = { accuracy = #taken } }
  end
  local ok, err = pcall(nas.strategies.reinforce { lr = 1 }, double)
  expect.is_true(not ok and #taken == 3, tostring(err))
  expect.equal({ taken[1], taken[2] }, { "a", "a" })
  return taken[3]
end
expect.equal(third_draw(0.8157), "a")
expect.equal(third_draw(0.8160), "b")

-- MARK: all of them against random search

local cells = nas.space {
  node1 = nas.list(1, nas.oneof { "none", "skip", "conv1", "conv3", "pool" }),
  node2 = nas.list(2, nas.oneof { "none", "skip", "conv1", "conv3", "pool" }),
  node3 = nas.list(3, nas.oneof { "none", "skip", "conv1", "conv3", "pool" }),
}
local worth = { none = 0, skip = 0.2, conv1 = 0.5, conv3 = 1, pool = 0.7 }

--- The worth of the operations and, as noise, a part that the architecture's id decides; every seventh fails.
local function score(trial)
  local total, noise = 0, 0
  for node = 1, 3 do
    for _, op in ipairs(trial.arch["node" .. node]) do total = total + worth[op] end
  end
  for byte in trial.arch:id():gmatch(".") do noise = (noise * 31 + byte:byte()) % 1009 end
  if noise % 7 == 0 then error "out of luck" end
  return { accuracy = total + 0.5 * noise / 1009 }
end

--- The best of 60 trials on average, over 20 searches, each with streams of its own, and how often it beats another's.
local function race(name, strategy)
  local bests, mean = {}, 0
  for seed = 1, 20 do
    local result = nas.search {
      name = name .. seed, space = cells, strategy = strategy, evaluate = score, stop = { trials = 60 },
    }
    bests[seed] = result:best().metrics.accuracy
    mean = mean + bests[seed] / 20
  end
  return mean, bests
end

local drawn, random_bests = race("random", nas.strategies.random {})
for name, strategy in pairs {
  local_first = nas.strategies.local_search { initial = 5 },
  local_best = nas.strategies.local_search { initial = 5, improvement = "best" },
  reinforce = nas.strategies.reinforce { lr = 0.1 },
  lstm = nas.strategies.lstm_controller { hidden = 16, layers = 1, lr = 0.05, batch = 3 },
} do
  local mean, bests = race(name, strategy)
  local wins = 0
  for seed = 1, 20 do
    if bests[seed] > random_bests[seed] then wins = wins + 1 end
  end
  print(("%-12s %.3f, random search %.3f, won %d of 20"):format(name, mean, drawn, wins))
  expect.is_true(mean > drawn + 0.1, ("%s %g, random %g"):format(name, mean, drawn))
  expect.is_true(wins >= 12, ("%s won %d of 20"):format(name, wins))
end

-- MARK: policies in every kind of space

-- A number, an option with decisions inside, a list, a selection: the best has n = 40, "deep" with 5 at every place and
-- both picks among the last two.
local everything = nas.space {
  n = nas.int(1, 40),
  rate = nas.float(0.01, 1, { log = true }),
  kind = nas.oneof { "flat", { name = "deep", size = nas.oneof { 1, 5 } } },
  list = nas.list(nas.int(1, 3), nas.oneof { 0, 1 }),
  picks = nas.manyof(2, { 1, 2, 3, 4 }),
  order = nas.manyof(2, { 1, 2, 3 }, { ordered = true, distinct = false }),
}
local function sum(trial)
  local arch, total = trial.arch, 0
  total = arch.n / 40 + (arch.kind == "flat" and 0 or arch.kind.size / 5) + (arch.rate > 0.3 and 1 or 0)
  for _, part in ipairs { arch.list, arch.picks, arch.order } do
    for _, number in ipairs(part) do total = total + number / 3 end
  end
  return { loss = -total }
end
for name, strategy in pairs {
  reinforce = nas.strategies.reinforce { lr = 0.1 },
  lstm = nas.strategies.lstm_controller { hidden = 8, layers = 1, lr = 0.05, batch = 2 },
} do
  local result = nas.search {
    name = "every_" .. name, space = everything, strategy = strategy, evaluate = sum,
    objectives = { { "loss", "min" } }, stop = { trials = 120 },
  }
  local early, late = 0, 0
  for index = 1, 30 do
    early = early + result.trials[index].metrics.loss / 30
    late = late + result.trials[#result.trials + 1 - index].metrics.loss / 30
  end
  expect.is_true(late < early - 0.5, ("%s: %g at first, %g at last"):format(name, early, late))
end

-- MARK: small spaces end

local two = nas.space { op = nas.oneof { "a", "b" } }
local nothing = nas.space { op = "a" }
for name, strategy in pairs {
  local_search = nas.strategies.local_search {},
  reinforce = nas.strategies.reinforce {},
  lstm = nas.strategies.lstm_controller { hidden = 4, layers = 1 },
} do
  local result = nas.search {
    name = "two_" .. name, space = two, strategy = strategy, evaluate = function() return { accuracy = 1 } end,
  }
  expect.equal(result.reason, "exhausted: 1000 requests in a row brought no new trial")
  expect.equal(#result.trials, 2)
end
for name, strategy in pairs {
  grid = nas.strategies.grid {},
  reinforce = nas.strategies.reinforce {},
  lstm = nas.strategies.lstm_controller {},
} do
  local result = nas.search {
    name = "none_" .. name, space = nothing, strategy = strategy, evaluate = function() return { accuracy = 1 } end,
  }
  expect.equal(#result.trials, 1)
end
