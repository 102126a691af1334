-- When a search ends, and what it charges.

local nas = require "nas"
local expect = require "expect"

local space = nas.space { width = nas.int(1, 1000) }
local function evaluate(trial) return { accuracy = trial.arch.width } end

local function ends(stop)
  local result = nas.search { space = space, strategy = nas.strategies.random {}, evaluate = evaluate, stop = stop }
  return result.reason, #result.trials, result
end

-- MARK: rules

local function expect_end(stop, reason, trials)
  local got, count = ends(stop)
  expect.equal(got, reason)
  expect.equal(count, trials)
end

expect_end({ trials = 3 }, "3 trials done", 3)
expect_end(nas.stop.trials(2), "2 trials done", 2)
expect_end({ minutes = 0 }, "0 minutes over", 0)
expect_end({ trials = 4, minutes = 60 }, "4 trials done", 4)
expect_end(nas.stop.any { nas.stop.trials(5), trials = 2 }, "2 trials done", 2)
expect_end(nas.stop.all { trials = 3, minutes = 0 }, "0 minutes over and 3 trials done", 3)
expect_end(nas.stop.all { nas.stop.any { trials = 2 }, nas.stop.trials(4) }, "2 trials done and 4 trials done", 4)
expect_end(function(state) return state.trials == 3 and "enough" or nil end, "enough", 3)

local reason, _, result = ends { target = 900, trials = 500 }
expect.equal(reason, "accuracy reached 900")
expect.is_true(result.trials[#result.trials].metrics.accuracy >= 900)
for index = 1, #result.trials - 1 do expect.is_true(result.trials[index].metrics.accuracy < 900) end

-- What a rule sees.
local states = {}
ends(function(state)
  states[#states + 1] = { state.trials, #state.history, state.failed, state.best and state.best.metrics.accuracy }
  expect.is_true(state.seconds >= 0 and state.cost >= 0)
  return #states == 3 and "seen" or nil
end)
expect.equal(states[1], { 0, 0, 0 })
expect.equal({ states[2][1], states[2][2] }, { 1, 1 })
expect.is_true(states[3][4] >= states[2][4])
expect.raises("a stop rule's state has no 'trails'", function()
  ends(function(state) return state.trails end)
end)
expect.raises("at least one condition", function() ends {} end)
expect.raises("wrong stop rule", function() ends { 3 } end)

expect.raises("unknown stop rule 'plataeu'. Did you mean 'plateau'?", function() ends { plataeu = 3 } end)
expect.raises("wrong result of a stop rule: expected why it stops, as a text, or nil to go on, got true", function()
  ends(function(state) return state.trials == 2 end)
end)

-- Trials in the order given, asked for one by one: accuracy, or a failure, or { accuracy, size }.
local function trials_end(stop, results, constraints)
  local result = nas.search {
    space = space, stop = stop, constraints = constraints,
    objectives = type(results[1]) == "table" and { { "accuracy", "max" }, { "size", "min" } } or nil,
    evaluate = function(trial)
      local value = results[trial.arch.width]
      if value == "fails" then error { message = "no luck" } end
      if type(value) == "table" then return { accuracy = value[1], size = value[2] } end
      return { accuracy = value, loss = -value }
    end,
    strategy = function(search)
      for index in ipairs(results) do search:evaluate(space:make { width = index }) end
    end,
  }
  return { result.reason, #result.trials }
end

-- No better one in 3 trials, failed ones included: the best is the third, so it ends after the sixth.
local bumps = { 5, 7, 9, 9, "fails", 8, 10, 11 }
expect.equal(trials_end({ plateau = 3 }, bumps), { "no better accuracy in 3 trials", 6 })
expect.equal(trials_end(nas.stop.plateau { trials = 3, by = "loss" }, bumps), { "no better loss in 3 trials", 6 })
expect.equal(trials_end(nas.stop.plateau { trials = 3, by = function(metrics) return -metrics.accuracy end }, bumps),
  { "no better value in 3 trials", 4 })
expect.equal(trials_end({ plateau = 4 }, bumps), { "the strategy ended", 8 })
-- From 5 to 9 is no progress when more than 4 is asked for.
expect.equal(trials_end(nas.stop.plateau { trials = 2, min_delta = 4 }, bumps), { "no better accuracy in 2 trials", 3 })
expect.equal(trials_end(nas.stop.plateau { trials = 2, min_delta = 1.5 }, bumps), { "no better accuracy in 2 trials", 5 })
-- Before the first that keeps the constraints there is no plateau.
expect.equal(trials_end({ plateau = 2 }, { 5, 5, 5, 80, 7, 6, 5, 9 }, { accuracy = { min = 6 } }),
  { "no better accuracy in 2 trials", 6 })
-- One rule, two searches: each begins anew.
local shared = nas.stop.plateau { trials = 3 }
for _ = 1, 2 do expect.equal(trials_end(shared, bumps)[2], 6) end

-- The front: (5, 5), then (6, 6) joins; a dominated one, an equal one and a failed one leave it as it is.
local points = { { 5, 5 }, { 6, 6 }, { 5, 7 }, { 6, 6 }, { 1, 9 }, { 9, 1 }, { 1, 9 } }
expect.equal(trials_end({ converged_front = 3 }, points), { "the Pareto front has not changed in 3 trials", 5 })
expect.equal(trials_end({ converged_front = 4 }, points), { "the strategy ended", 7 })
expect.equal(trials_end(nas.stop.all { plateau = 2, trials = 6 }, points),
  { "the strategy ended", 7 })

-- A strategy that catches everything still ends, also from within a coroutine.
local caught = nas.search {
  space = space, evaluate = evaluate, stop = { trials = 2 },
  strategy = function(search)
    while true do
      pcall(function()
        coroutine.wrap(function() search:evaluate(search.space:random()) end)()
      end)
    end
  end,
}
expect.equal(caught.reason, "2 trials done")

-- MARK: duplicates

local two = nas.space { op = nas.oneof { "a", "b" } }
local function asking(policy, times)
  return nas.search {
    space = two, duplicates = policy, objectives = { { "luck", "max" } },
    evaluate = function() return { luck = math.random() } end,
    strategy = function(search)
      for _ = 1, times do search:evaluate(two:make { op = "a" }) end
    end,
  }
end

local reused = asking("reuse", 3)
expect.equal(#reused.trials, 1)
expect.equal(reused.reused, 2)
local again = asking("rerun", 3)
expect.equal(#again.trials, 3)
expect.equal(again.trials[3].budget, { ["repeat"] = 2 })
local luck = {}
for index, trial in ipairs(again.trials) do luck[index] = trial.metrics.luck end
expect.is_true(luck[1] ~= luck[2] and luck[2] ~= luck[3], "each repetition draws its own numbers")
expect.equal(luck[1], reused.trials[1].metrics.luck)
expect.raises("the architecture was asked for before", function() asking("forbid", 2) end)

local tiny = nas.search {
  space = two, strategy = nas.strategies.random {}, evaluate = function() return { accuracy = 1 } end,
  stop = { trials = 3 },
}
expect.equal(tiny.reason, "exhausted: 1000 requests in a row brought no new trial")
expect.equal(#tiny.trials, 2)
local stuck = nas.search {
  space = nas.space { op = nas.oneof { "a", "b", "c" } },
  strategy = function(search)
    local arch = search.space:random()
    while true do search:evaluate(arch) end
  end,
  evaluate = function() return { accuracy = 1 } end,
}
expect.equal(stuck.reason, "exhausted: 1000 requests in a row brought no new trial, after 1 of 3 architectures")

-- Drawing for ever, without asking for a trial.
expect.raises("1000000 architectures were drawn in a row and none was evaluated", function()
  nas.search {
    space = two, evaluate = function() return { accuracy = 1 } end, stop = { trials = 3 },
    strategy = function(search)
      while true do search.space:random() end
    end,
  }
end)

-- MARK: trials in flight

-- With a window of 2, the third request finishes the first; results come in the order asked.
local order = {}
local flying = nas.search {
  space = space, window = 2, evaluate = evaluate, objectives = { { "accuracy", "max" } },
  strategy = function(search)
    for width = 1, 3 do search:submit(space:make { width = width }) end
    for trial in function() return search:next() end do order[#order + 1] = trial.arch.width end
    for _, trial in ipairs(search:map { space:make { width = 9 }, space:make { width = 2 }, space:make { width = 8 } }) do
      order[#order + 1] = trial.arch.width
    end
  end,
}
expect.equal(order, { 1, 2, 3, 9, 2, 8 })
expect.equal(#flying.trials, 5)

-- What was asked for before the end is finished and counts.
local unfinished = nas.search {
  space = space, window = 4, evaluate = evaluate, stop = { trials = 3 },
  strategy = function(search)
    while true do search:submit(search.space:random()) end
  end,
}
expect.equal(#unfinished.trials, 3)

-- MARK: failed trials rank last

local mixed = nas.search {
  space = two, strategy = nas.strategies.listed { two:make { op = "a" }, two:make { op = "b" } },
  objectives = { { "loss", "min" } },
  evaluate = function(trial)
    if trial.arch.op == "a" then error { message = "no luck" } end
    return { loss = 5 }
  end,
}
expect.equal(mixed.trials[1].failed, "no luck")
expect.equal(mixed.trials[1].metrics.loss, math.huge)
expect.equal(mixed:best().arch.op, "b")
expect.equal(#mixed:front(), 1)
local diverged = nas.search {
  space = two, strategy = nas.strategies.listed { two:make { op = "a" } },
  evaluate = function() return { accuracy = 0 / 0 } end,
}
expect.equal(diverged.trials[1].failed, "diverged: accuracy is not a number")
