-- %% [markdown]
-- # Your own images
-- `nasrun Recipes/02_own_data.lua --set data=FOLDER`, where FOLDER holds a folder of JPEG or PNG files for each class (or
-- `train/` and `test/` with such folders), the binary files of CIFAR-10 or CIFAR-100, or four IDX files in the form of
-- MNIST (`train-images-idx3-ubyte.gz` and so on, compressed or not).
--
-- The search compares cells on a split held out of the training images. Then the best cell is trained on all of them and
-- tested once on the official test images, beside two yardsticks under the same protocol: the mean of 8 random cells and
-- the cell with a 3×3 convolution on every edge. Without them, an accuracy says nothing about the search.

local nas = require "nas"
local args = nas.args {
  data = "",
  trials = 30,
  epochs = 2,
  search_images = 12000,
  channels = 8,
  final_channels = 16,
  final_epochs = 3,
  random_cells = 8,
}
if args.data == "" then
  nas.fail("this recipe needs images: nasrun Recipes/02_own_data.lua --set data=FOLDER")
end

-- %% Data: the search sees a part of the training images; the test images stay untouched until the end.
local search_data = nas.data.open(args.data, { valid = 0.2, limit = args.search_images })
local full_data = nas.data.open(args.data, { valid = 0.2 })
print(search_data)
print(full_data)

-- %% Search
local result = nas.search {
  name = "search",
  space = nas.spaces.nasbench201 { channels = args.channels, cells = 1 },
  strategy = nas.strategies.regularized_evolution { population = 10, sample = 3 },
  evaluate = nas.evaluators.train {
    data = search_data, epochs = args.epochs, batch = 64, schedule = "cosine_by_step",
  },
  objectives = { { "accuracy", "max" }, { "latency_ms", "min" } },
  stop = { trials = args.trials },
}
print(result)
nas.plot.pareto(result, "latency_ms", "accuracy")

-- %% The same cells, wider, trained on all training images and tested once
local space = nas.spaces.nasbench201 { channels = args.final_channels, cells = 1 }
local best = space:make(result:best().arch)
local all_conv3 = space:parse "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
local archs = { best, all_conv3 }
for _ = 1, args.random_cells do archs[#archs + 1] = space:random() end

local final = nas.search {
  name = "final",
  space = space,
  strategy = nas.strategies.listed(archs),
  evaluate = nas.evaluators.train {
    data = full_data, train = "train+valid", score = "test",
    epochs = args.final_epochs, batch = 64, schedule = "cosine_by_step", augment = { flip = true }, every = 0,
  },
  objectives = { { "accuracy", "max" }, { "latency_ms", "min" }, { "params", "min" } },
}

-- %% Was the search worth it?
local by_arch = {}
for _, trial in ipairs(final.trials) do by_arch[trial.arch] = trial end
local sum, count = 0, 0
for index = 3, #archs do
  local trial = by_arch[archs[index]]
  if not trial.failed then sum, count = sum + trial.metrics.accuracy, count + 1 end
end
local function row(name, trial)
  print(("%-28s %6.2f %%   %.3f ms   %7d parameters   %s"):format(
    name, trial.metrics.accuracy, trial.metrics.latency_ms, trial.metrics.params, trial.arch))
end
print(("test accuracy after %d epochs on all training images:"):format(args.final_epochs))
row("best cell of the search", by_arch[best])
row("all-3x3 cell", by_arch[all_conv3])
print(("%-28s %6.2f %%"):format(("mean of %d random cells"):format(count), sum / count))
print("the run is in " .. nas.run.folder)
