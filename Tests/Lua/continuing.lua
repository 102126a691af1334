-- search:continue: a training in several trials is one training.

local nas = require "nas"
local expect = require "expect"

local data = nas.data.open("shapes", { valid = 40, limit = 200, test_limit = 40 })
local space = nas.spaces.nasbench201 { channels = 4, cells = 1 }
local arch = space:parse(
  "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|")

--- Digests of the weights after each trial, as the evaluator saw them.
local weights = {}
local function evaluator(options)
  options.data, options.batch = data, 16
  local train = nas.evaluators.train(options)
  return nas.evaluator {
    data = data,
    depends = { "weights" },
    run = function(trial)
      local metrics = train.run(trial)
      weights[trial.number] = trial:network():evaluate(data, { split = "train" }).loss
      return metrics
    end,
  }
end

--- The trials that the budgets give, each going on from the one before.
local function in_parts(budgets, options, more)
  local settings = {
    space = space, evaluate = evaluator(options), objectives = { { "accuracy", "max" } },
    strategy = function(search)
      local trial = search:evaluate(arch, budgets[1])
      for index = 2, #budgets do trial = search:continue(trial, budgets[index]) end
    end,
  }
  for key, value in pairs(more or {}) do settings[key] = value end
  return nas.search(settings).trials
end

-- One training to 3 epochs and the same in parts, with a schedule of 4, augmentation and a warm-up.
local function settings()
  return { schedule_epochs = 4, warmup = 1.5, schedule = "cosine_by_step", augment = { flip = true, crop = 2 } }
end
local whole = in_parts({ { epochs = 3 } }, settings())[1]
local loss = weights[1]
local function expect_whole(trials)
  local last = trials[#trials]
  expect.equal(last.metrics, whole.metrics)
  expect.equal(weights[last.number], loss)
  expect.equal(last.reports[#last.reports], whole.reports[3])
end
local parts = in_parts({ { epochs = 1 }, { epochs = 2 }, { epochs = 3 } }, settings())
expect_whole(parts)
expect.equal(#parts[3].reports, 1)
expect.equal(parts[3].reports[1].epoch, 3)
expect.equal(parts[2].budget, { epochs = 2 })
expect.is_true(parts[3].continues == parts[2])
expect.is_true(parts[3].seconds > 0 and parts[3].seconds < whole.seconds, "only what is new is paid")

-- Checkpoints are a cache: without any, the same bits.
expect_whole(in_parts({ { epochs = 2 }, { epochs = 3 } }, settings(), { checkpoint_mb = 0 }))

-- With a schedule for each budget they are other trainings: the rate starts anew for the longer one.
local own = in_parts({ { epochs = 2 }, { epochs = 3 } }, {})
local direct = in_parts({ { epochs = 3 } }, {})
expect.is_true(own[2].metrics.loss ~= direct[1].metrics.loss)

-- MARK: what can be continued

local plain = nas.space { width = nas.int(1, 9) }
local function fails_at(number)
  return function(trial)
    if trial.arch.width == number then error { message = "no luck" } end
    return { accuracy = trial.continues and trial.continues.metrics.accuracy + trial.budget.epochs or trial.arch.width }
  end
end
local foreign = nas.search {
  space = plain, evaluate = function() return { accuracy = 1 } end,
  strategy = nas.strategies.listed { plain:make { width = 1 } },
}.trials[1]
local reached
local result = nas.search {
  space = plain, evaluate = fails_at(2),
  strategy = function(search)
    local one = search:evaluate(plain:make { width = 1 }, { epochs = 3 })
    local two = search:evaluate(plain:make { width = 2 }, { epochs = 3 })
    local more = search:continue(one, { epochs = 9 })
    expect.is_true(search:continue(one, { epochs = 9 }) == more, "the same trial")
    expect.is_true(search:continue(one, { epochs = 27 }) ~= search:continue(more, { epochs = 27 }), "another way to 27")
    reached = { more.metrics.accuracy, search:continue(two, { epochs = 9 }).failed }
    expect.raises("search:continue: trial 1 has gone that far already: expected more than epochs = 3, all of them counted "
      .. "from the start, got epochs = 3", function() search:continue(one, { epochs = 3 }) end)
    expect.raises("search:continue goes on with trials of its own evaluator: expected what search:evaluate of this search "
      .. "returned, got", function() search:continue(foreign, { epochs = 3 }) end)
    expect.raises("search:continue: wrong argument 1 ('trial'): expected a Trial, got a table.",
      function() search:continue({}, { epochs = 3 }) end)
  end,
}
expect.equal(reached, { 10.0, "continuing.lua:90: trial 2, from which it goes on, failed: no luck" })
expect.equal(result.reused, 1)

-- A result's trial goes on in another search with the same evaluator.
local evaluate = nas.evaluators.train { data = data, batch = 32, epochs = 1, schedule_epochs = 2 }
local first = nas.search { space = space, evaluate = evaluate, strategy = nas.strategies.listed { arch } }
local second = nas.search {
  space = space, evaluate = evaluate,
  strategy = function(search) search:continue(first:best(), { epochs = 2 }) end,
}
expect.equal(second.trials[1].reports[1].epoch, 2)

-- MARK: ends of a training

-- `on_epoch` ends a training; what it did goes on from there.
local ended = nas.search {
  space = space,
  evaluate = nas.evaluator {
    data = data,
    run = function(trial)
      local network, last = trial:network(), 0
      network:fit {
        data = data, epochs = trial.budget.epochs, schedule_epochs = 4, batch = 32,
        on_epoch = function(epoch)
          last = epoch
          return epoch < trial.budget.last
        end,
      }
      return { accuracy = last, loss = network:evaluate(data).loss }
    end,
  },
  strategy = function(search)
    local trial = search:evaluate(arch, { epochs = 4, last = 2 })
    search:evaluate(arch, { epochs = 2, last = 9 })
    search:continue(trial, { epochs = 5, last = 3 })
    search:evaluate(arch, { epochs = 3, last = 9 })
  end,
}
local got = ended.trials
expect.equal({ got[1].metrics.accuracy, got[2].metrics.accuracy, got[4].metrics.accuracy }, { 2.0, 2.0, 3.0 })
expect.equal(got[1].metrics.loss, got[2].metrics.loss)
expect.equal(got[3].failed:match("wrong schedule_epochs: expected at least epochs = 5, got 4"),
  "wrong schedule_epochs: expected at least epochs = 5, got 4")
