-- %% [markdown]
-- # A first search
-- Which cell classifies best, and which is fast? Run it with `nasrun search.lua`; it takes less than a minute.
-- `nasrun search.lua --help` lists the settings below, `--set trials=40` changes one.

local nas = require "nas"

local args = nas.args {
  data = "shapes", -- drawn by nasrun itself; or the path of a folder of images
  trials = 12,
  epochs = 2,
}

-- %% Data: a fifth of the training images is kept apart to compare architectures
local data = nas.data.open(args.data, { valid = 0.2 })
print(data)

-- %% Search
local result = nas.search {
  space = nas.spaces.nasbench201 { channels = 4, cells = 1 },
  strategy = nas.strategies.regularized_evolution { population = 6, sample = 3 },
  evaluate = nas.evaluators.train { data = data, epochs = args.epochs, lr = 0.05 },
  objectives = { { "accuracy", "max" }, { "latency_ms", "min" } },
  stop = { trials = args.trials },
}

-- %% Result
print(result)
nas.plot.pareto(result, "latency_ms", "accuracy")
print("best: " .. tostring(result:best()))
print("the run is in " .. nas.run.folder)
