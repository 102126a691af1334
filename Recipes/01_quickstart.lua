-- %% [markdown]
-- # A first search
-- Regularised evolution over the NAS-Bench-201 cell space on "shapes", a set of small images that nasrun draws itself.
-- Nothing to download; a minute or two on two cores. Run it with `nasrun Recipes/01_quickstart.lua`, or change a
-- setting: `nasrun Recipes/01_quickstart.lua --set trials=80`.

local nas = require "nas"
local args = nas.args {
  trials = 40,
  epochs = 4,
  channels = 8,
  population = 8,
}

-- %% Data: 20 % of the training images are kept apart to compare architectures.
local data = nas.data.open("shapes", { valid = 0.2 })
print(data)

-- %% Search
local result = nas.search {
  name = "evolution",
  space = nas.spaces.nasbench201 { channels = args.channels, cells = 1 },
  strategy = nas.strategies.regularized_evolution { population = args.population, sample = 3 },
  evaluate = nas.evaluators.train { data = data, epochs = args.epochs, batch = 32, lr = 0.05, augment = { flip = true } },
  objectives = { { "accuracy", "max" }, { "latency_ms", "min" } },
  stop = { trials = args.trials },
}
print(result)

-- %% Accuracy against latency
nas.plot.pareto(result, "latency_ms", "accuracy")

-- %% The best network
local best = result:best()
print("best: " .. tostring(best))
print(("      %d parameters, %d MACs"):format(best.arch:network(data).params, best.arch:network(data).macs))
print("the run is in " .. nas.run.folder)
