-- %% [markdown]
-- # An evaluator of your own
-- An evaluator is a function that gets a trial and returns numbers. What it measures is up to you. Here we write one
-- that watches a short training and asks which of two numbers says more about a long one: the accuracy after the short
-- training, or the sum of its losses. `nasrun Recipes/06_own_evaluator.lua`; a minute or two on one core.

local nas = require "nas"
local args = nas.args { data = "shapes", archs = 16, short = 4, long = 12, channels = 4 }

-- %% [markdown]
-- ## The evaluator
-- `trial:network()` is the network of the trial's architecture, `trial.budget` what the strategy asked for, and
-- `trial:report` keeps a point of the learning curve. The function must depend on the trial and on what it closes over,
-- and nothing else: then a result can be taken from the record instead of being computed again. `nas.evaluator` names
-- the data, which give the network its input and its classes.
--
-- The sum of training losses (TSE; Ru et al., "Speedy Performance Estimation for Neural Architecture Search", NeurIPS
-- 2021) costs nothing beyond the training: a network that learns quickly leaves a smaller area under its curve.

local data = nas.data.open(args.data, { valid = 0.3, limit = 1500 })
local short, long = args.short, args.long

local function evaluate(trial)
  local network, losses, metrics = trial:network(), 0, {}
  network:fit {
    data = data, epochs = long, batch = 32, lr = 0.1, schedule = "constant",
    on_epoch = function(epoch, report)
      trial:report(epoch, report)
      if epoch <= short then losses = losses + report.train_loss end
      if epoch == short then metrics.early_accuracy = network:evaluate(data).accuracy end
    end,
  }
  metrics.sum_of_losses = losses
  metrics.accuracy = network:evaluate(data).accuracy
  return metrics
end

-- %% [markdown]
-- ## Some cells
-- All three numbers are metrics of a trial. The objectives say which of them a search is about; the others are kept
-- too, and `nasrun show last` has them.

local result = nas.search {
  space = nas.spaces.nasbench201 { channels = args.channels, cells = 1 },
  strategy = nas.strategies.random {},
  evaluate = nas.evaluator { data = data, run = evaluate, epochs = long },
  objectives = { { "accuracy", "max" }, { "sum_of_losses", "min" } },
  stop = { trials = args.archs },
}
print(result)

-- %% [markdown]
-- ## Which number says more?
-- Spearman's rank correlation with the accuracy after the long training: 1 if the short number puts the cells in the
-- same order, 0 if it says nothing. Losses are better when small, so theirs has its sign changed.

-- A failed trial (a training that diverged, say) has no numbers to compare.
local trained = {}
for _, trial in ipairs(result.trials) do
  if not trial.failed then trained[#trained + 1] = trial end
end

--- Ranks from 1; equal values share the mean of theirs.
local function ranks(metric)
  local list = {}
  for index, trial in ipairs(trained) do
    local value, rank = trial.metrics[metric], 0.5
    for _, other in ipairs(trained) do
      local number = other.metrics[metric]
      rank = rank + (number < value and 1 or number == value and 0.5 or 0)
    end
    list[index] = rank
  end
  return list
end

local function agreement(metric)
  return nas.linalg.corrcoef({ ranks(metric), ranks "accuracy" }):at(1, 2)
end

print(("accuracy after %d epochs against %d:       %5.2f"):format(short, long, agreement "early_accuracy"))
print(("sum of losses of %d epochs against %d:     %5.2f"):format(short, long, -agreement "sum_of_losses"))

-- %% [markdown]
-- ## Using it
-- A search by the short number alone needs a fraction of the training. `early` below is the same idea as an evaluator
-- that stops there: three times as many cells for the price. What a search then reports is a score for comparing, not
-- an accuracy to be proud of; train what it finds at full length before you believe it.

local function early(trial)
  local losses = 0
  trial:network():fit {
    data = data, epochs = short, batch = 32, lr = 0.1, schedule = "constant",
    on_epoch = function(_, report) losses = losses + report.train_loss end,
  }
  return { sum_of_losses = losses }
end

local quick = nas.search {
  name = "quick",
  space = nas.spaces.nasbench201 { channels = args.channels, cells = 1 },
  strategy = nas.strategies.regularized_evolution { population = 8, sample = 3 },
  evaluate = nas.evaluator { data = data, run = early, epochs = short },
  objectives = { { "sum_of_losses", "min" } },
  stop = { trials = args.archs * long // short },
}
print(("%d cells for the %d epochs that the %d random ones took"):format(
  #quick.trials, args.archs * long, args.archs))
print("found by the sum of losses: " .. tostring(quick:best()))
local network = quick:best().arch:network(data)
network:fit { data = data, epochs = long, batch = 32, lr = 0.1, schedule = "constant" }
print(("trained at full length:     %.2f %% (best of the random cells: %.2f %%)"):format(
  network:evaluate(data).accuracy, result:best().metrics.accuracy))
