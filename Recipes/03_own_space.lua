-- %% [markdown]
-- # A space of your own
-- A search space says two things: what can be decided, and what network a set of decisions is. Here we write one for
-- small image classifiers, look around in it before any training, and let it decide the learning rate as well.
-- `nasrun Recipes/03_own_space.lua`; a minute on one core.

local nas = require "nas"
local nn = nas.nn
local args = nas.args { data = "shapes", trials = 24, epochs = 5 }

-- %% [markdown]
-- ## Decisions
-- `nas.oneof` takes one of some options. An option that is a table can hold decisions of its own: the kernel below is
-- decided only where the block is a convolution. `nas.list(nas.int(1, 3), …)` is a list whose length is decided too.
-- Plain values (`stem = 8`) are the same for all.
--
-- `build` makes the network. It sees the decisions as plain values, gets the images as `x`, and must do nothing else:
-- the same decisions always give the same network. `nn.scope` names a part, so that its parameters have a path.

local space = nas.space {
  stem = 8,
  width = nas.oneof { 8, 16 },
  blocks = nas.list(nas.int(1, 3), nas.oneof {
    "skip",
    { op = "conv", kernel = nas.oneof { 3, 5 } },
    { op = "mbconv", kernel = nas.oneof { 3, 5 }, expand = nas.oneof { 2, 4 } },
  }),
  lr = nas.float(0.005, 0.5, { log = true }),

  -- Networks that only skip can't learn: `valid` keeps them out.
  valid = function(arch)
    for _, block in ipairs(arch.blocks) do
      if block ~= "skip" then return true end
    end
    return false
  end,

  build = function(arch, x, task)
    x = nn.scope("stem", function() return nn.relu(nn.batch_norm(nn.conv2d(x, arch.stem, { kernel = 3 }))) end)
    for index, block in ipairs(arch.blocks) do
      x = nn.scope("block" .. index, function()
        if block == "skip" then return x end
        if block.op == "conv" then
          return nn.relu(nn.batch_norm(nn.conv2d(x, arch.width, { kernel = block.kernel, stride = 2 })))
        end
        return nn.mbconv(x, arch.width, { kernel = block.kernel, expand = block.expand, stride = 2 })
      end)
    end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}

-- %% [markdown]
-- ## A look around
-- All of this costs nothing: a space can be sampled, changed and measured before anything is trained. A new space is
-- best read once like this, since a mistake in `build` shows here and not after an hour.

local data = nas.data.open(args.data, { valid = 0.2, limit = 3000 })
print(space)
print("three at random:")
local example
for _ = 1, 3 do
  example = space:random()
  local network = example:network(data)
  print(("  %6d parameters  %8d MACs  %s"):format(network.params, network.macs, example))
end
print("the last one with one decision changed:")
print("  " .. tostring(space:mutate(example)))
print("its decisions:")
for _, decision in ipairs(example:decisions()) do
  local value = type(decision.value) == "table" and decision.value.op or decision.value
  print(("  %-20s %s"):format(decision.path, value))
end

-- %% [markdown]
-- ## A search, with the learning rate in it
-- Nothing in `build` reads `lr`. The evaluator does: an option of a training may be the path of a decision.

local result = nas.search {
  space = space,
  strategy = nas.strategies.regularized_evolution { population = 6, sample = 3 },
  evaluate = nas.evaluators.train { data = data, epochs = args.epochs, batch = 32, lr = "lr" },
  objectives = { { "accuracy", "max" }, { "params", "min" } },
  stop = { trials = args.trials },
}

-- %% [markdown]
-- ## What the space taught us
-- Learning rates in three groups, and the best accuracy in each: one of them should stand out. Had we fixed the rate in
-- advance, the search would have compared networks at a rate that suits only some of them.

local groups = { { "below 0.02", 0, 0.02 }, { "0.02 to 0.1", 0.02, 0.1 }, { "above 0.1", 0.1, 1 } }
for _, group in ipairs(groups) do
  local best, count = 0, 0
  for _, trial in ipairs(result.trials) do
    if trial.arch.lr >= group[2] and trial.arch.lr < group[3] and not trial.failed then
      best, count = math.max(best, trial.metrics.accuracy), count + 1
    end
  end
  print(("learning rate %-12s %2d trials, best %5.2f %%"):format(group[1], count, best))
end
print("the Pareto front of accuracy and parameters:")
for _, trial in ipairs(result:front()) do print("  " .. tostring(trial)) end
