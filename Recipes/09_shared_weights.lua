-- %% [markdown] Shared weights
-- One set of weights for all 15,625 cells of NAS-Bench-201: each training step takes one random path (single path
-- one-shot, Guo et al. 2020). Then a search scores cells without training any.

local nas = require "nas"
local args = nas.args { data = "shapes", epochs = 40, trials = 40 }

local data = nas.data.open(args.data, { valid = 0.2 })
local space = nas.spaces.nasbench201 { channels = 8, cells = 1 }

-- %% Train the shared weights
local weights = nas.weights(space, { data = data, weight_decay = 5e-4, ema = 0.99 })
print(weights)
weights:fit {
  epochs = args.epochs,
  batch = 64,
  lr = 0.1,
  on_epoch = function(epoch, metrics)
    if epoch % 10 == 0 then print(("epoch %d  loss %.3f"):format(epoch, metrics.train_loss)) end
  end,
}

-- %% Search with them: a trial is one evaluation
local result = nas.search {
  space = space,
  strategy = nas.strategies.regularized_evolution { population = 10, sample = 3 },
  evaluate = nas.evaluator {
    data = data,
    run = function(trial)
      -- What is kept and exported of a trial on the front: by default a network that the evaluator trains.
      trial:keep(weights:network(trial.arch, { recalibrate = 5 }))
      return weights:evaluate(trial.arch, { bn = "recalibrate", recalibrate = 5 })
    end,
  },
  objectives = { { "accuracy", "max" }, { "params", "min" } },
  stop = { trials = args.trials },
}

-- %% Take the best cell out and train it on
local best = result:best()
print(best)
local network = weights:network(best.arch)
network:fit { data = data, epochs = 4, batch = 64, lr = 0.05 }
print(("trained on from the shared weights: %.2f %%"):format(network:evaluate(data).accuracy))
