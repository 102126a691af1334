-- The evaluators beside train: tables, cross-validation, early stop; and settings of a training that the space decides.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local function error_of(fn, ...)
  local ok, err = pcall(fn, ...)
  expect.is_true(not ok, "no error")
  return (tostring(err):gsub("^[%w_%.]+:%d+: ", ""))
end

local function has(text, part) expect.is_true(text:find(part, 1, true), text) end

local data = nas.data.open("shapes", { valid = 0.2, limit = 200 })

local function build(arch, x, task)
  return nn.linear(nn.global_avg_pool(nn.relu(nn.conv2d(x, arch.width, { kernel = 3 }))), task.classes)
end
local widths = nas.space { width = nas.oneof { 4, 8 }, build = build }

-- MARK: settings that the space decides

local tuned = nas.space {
  width = 4,
  training = { lr = nas.float(1e-9, 1, { log = true, name = "rate" }), epochs = nas.oneof { 1, 2 } },
  build = build,
}
local function losses(name, settings)
  local evaluator = { data = data, epochs = 1, batch = 32 }
  for key, value in pairs(settings) do evaluator[key] = value end
  local result = nas.search {
    name = name, space = tuned, evaluate = nas.evaluators.train(evaluator),
    objectives = { { "loss", "min" } },
    strategy = nas.strategies.listed {
      tuned:make { training = { lr = 1e-9, epochs = 1 } }, tuned:make { training = { lr = 0.5, epochs = 2 } },
    },
  }
  return result.trials
end
local by_path = losses("by_path", { lr = "training.lr", epochs = "training.epochs" })
local by_name = losses("by_name", { lr = "rate", epochs = function(arch) return arch.training.epochs end })
for index = 1, 2 do
  expect.equal(by_path[index].failed, nil)
  expect.equal(by_path[index].metrics, by_name[index].metrics)
  expect.equal(#by_path[index].reports, index)
end
-- At a learning rate of nearly 0 the weights stay as they were drawn.
local still = nas.network(by_path[1].arch, { data = data, stream = "trial/" .. by_path[1].arch:id() .. "/0" })
expect.near(still:evaluate(data).loss, by_path[1].metrics.loss, 1e-6)
expect.is_true(math.abs(by_path[2].metrics.loss - by_path[1].metrics.loss) > 1e-3)

local wrong = losses("wrong_path", { lr = "training.lrr" })
has(wrong[1].failed, "the option 'lr' names a decision that the architecture doesn't have: got 'training.lrr'. "
  .. "Did you mean 'training.lr'?")
wrong = losses("wrong_function", { epochs = function() return "many" end })
has(wrong[1].failed, "wrong result of the function for the option 'epochs': expected a number, got the text \"many\"")
expect.equal(
  error_of(nas.evaluators.train, { data = data, epochs = 1.5 }),
  "nas.evaluators.train: wrong option 'epochs': expected an integer, got 1.5")
expect.equal(
  error_of(nas.evaluators.train, { data = data, lr = -1 }),
  "nas.evaluators.train: wrong option 'lr': expected at least 0, got -1")

-- MARK: precision

local function trained(precision)
  local result = nas.search {
    name = "precision_" .. precision, space = widths, strategy = nas.strategies.listed { widths:make { width = 8 } },
    evaluate = nas.evaluators.train { data = data, epochs = 1, batch = 32, precision = precision },
  }
  expect.equal(result.trials[1].failed, nil)
  return result.trials[1]
end
local single, rounded = trained("fp32").metrics.loss, trained("bf16").metrics.loss
expect.is_true(single ~= rounded, "rounding has an effect")
expect.near(rounded, single, 0.01)
local shared = {}
for _, precision in ipairs { "fp32", "bf16" } do
  local weights = nas.weights(widths, { data = data, precision = precision, stream = "shared" })
  for batch in data:batches { size = 32, epochs = 1 } do weights:step(widths:make { width = 4 }, batch, { lr = 0.1 }) end
  shared[precision] = weights:evaluate(widths:make { width = 4 }).loss
end
expect.is_true(shared.fp32 ~= shared.bf16, "rounding has an effect")
expect.near(shared.bf16, shared.fp32, 0.01)
expect.equal(
  error_of(nas.evaluators.train, { data = data, precision = "fp16" }),
  "nas.evaluators.train: wrong option 'precision': expected one of fp32, bf16, got the text \"fp16\". Did you mean 'bf16'?")

-- MARK: cross-validation, against its folds one by one

local folds = data:folds(3, { seed = 4 })
expect.equal(#folds, 3)
local validated = nas.search {
  name = "validated", space = widths, strategy = nas.strategies.listed { widths:make { width = 4 } },
  evaluate = nas.evaluators.cross_validation { data = data, folds = 3, seed = 4, epochs = 1, batch = 32 },
}
local trial = validated.trials[1]
expect.equal(trial.failed, nil)
local scores = {}
for number, fold in ipairs(folds) do
  expect.equal({ fold.train + fold.valid, fold.test }, { data.train + data.valid, data.test })
  local stream = "trial/" .. trial.arch:id() .. "/0"
  local network = nas.network(trial.arch, { data = data, stream = stream .. (number > 1 and "/fold" .. number or "") })
  network:fit { data = fold, epochs = 1, batch = 32 }
  scores[number] = network:evaluate(fold).accuracy
end
local mean = (scores[1] + scores[2] + scores[3]) / 3
local variance = ((scores[1] - mean) ^ 2 + (scores[2] - mean) ^ 2 + (scores[3] - mean) ^ 2) / 2
expect.near(trial.metrics.accuracy, mean, 1e-9)
expect.near(trial.metrics.accuracy_std, variance ^ 0.5, 1e-9)
expect.raises("number of folds", function() data:folds(1000) end)

-- MARK: tables

local cells = nas.spaces.nasbench201 {}
local known = {
  "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
  "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|",
  "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|",
}
local looked_up = nas.search {
  name = "file", space = cells,
  strategy = nas.strategies.listed { cells:parse(known[1]), cells:parse(known[3]), cells:parse(known[2]) },
  evaluate = nas.evaluators.table {
    file = "tables/cells.csv", column = "cell", metrics = { accuracy = "valid", final = "test" }, cost = "seconds",
  },
}
expect.equal(looked_up.trials[1].metrics, { accuracy = 10, final = 10.5, charged_seconds = 12.5 })
expect.equal(looked_up.trials[3].metrics, { accuracy = 42.25, final = 40, charged_seconds = 100 })
has(looked_up.trials[2].failed, "the table has no such architecture: got " .. known[3])
expect.equal({ looked_up.trials[1].seconds, looked_up.trials[3].seconds }, { 12.5, 100 })

-- 100 seconds of 12.5 are reached by the second trial: the clock is the table's.
local charged = nas.search {
  name = "charged", space = cells, stop = { cost = 100 },
  strategy = function(search)
    for _, text in ipairs(known) do search:evaluate(cells:parse(text)) end
  end,
  evaluate = nas.evaluators.table {
    file = "tables/cells.csv", column = "cell", cost = "seconds", metrics = { accuracy = "valid" },
  },
}
expect.equal(#charged.trials, 2)

local rows = nas.search {
  name = "rows", space = widths, strategy = nas.strategies.grid {},
  evaluate = nas.evaluators.table {
    rows = { w4 = { accuracy = 60, time = 2 }, w8 = { accuracy = 70, time = 3 } }, cost = "time",
    key = function(arch) return "w" .. arch.width end,
  },
}
expect.equal(rows:best().metrics, { accuracy = 70, charged_seconds = 3 })
expect.equal(rows:best().seconds, 3)
expect.equal(
  error_of(nas.evaluators.table, { file = "tables/cells.csv" }),
  "nas.evaluators.table: 'tables/cells.csv' has no column 'arch': expected one of cell, valid, test, seconds")
expect.equal(
  error_of(nas.evaluators.table, { file = "tables/cells.csv", column = "cell", metrics = { accuracy = "valed" } }),
  "nas.evaluators.table: 'tables/cells.csv' has no column 'valed': expected one of cell, valid, test, seconds")
expect.equal(
  error_of(nas.evaluators.table, {}),
  "nas.evaluators.table needs one table: expected file = …, or rows = …, got none")

-- A column for each decision; one that an architecture doesn't have is empty there.
local branches = nas.space {
  op = nas.oneof { "skip", { name = "conv", kernel = nas.oneof { 3, 5 } } },
  rate = nas.oneof { 0.5, 1 },
}
local by_decision = nas.search {
  name = "by_decision", space = branches, strategy = nas.strategies.grid {},
  evaluate = nas.evaluators.table {
    file = "tables/decisions.csv", decisions = { ["op.kernel"] = "kernel", rate = "rate" },
  },
}
expect.equal(by_decision.trials[1].metrics, { accuracy = 10 })
local found = {}
for index, trial in ipairs(by_decision.trials) do found[index] = trial.failed and "none" or trial.metrics.accuracy end
-- skip at 0.5 and 1, kernel 3 at both, kernel 5 at 0.5 twice in the file and at 1 not at all.
expect.equal(found, { 10, 20, 30, 40, "none", "none" })
has(by_decision.trials[5].failed, "nas.evaluators.table: 2 rows for one architecture")
has(by_decision.trials[6].failed, "the table has no such architecture")

local records = nas.data.records("tables/cells.csv")
expect.equal({ #records, records:columns() }, { 2, { "cell", "valid", "test", "seconds" } })
expect.equal({ records:find("cell", known[2]), records:find("cell", "") }, { { 2 }, {} })
expect.equal(error_of(records.find, records, "valed", ""), "records:find: no column 'valed'. Did you mean 'valid'?")
expect.equal(records:row(2), { cell = known[2], valid = 42.25, test = 40, seconds = 100 })
expect.raises("records:row: no such row: expected 1 to 2, got 3", function() records:row(3) end)

-- MARK: early stopping

local function stops_at(curve, options)
  local stops = nas.early_stopping(options)
  for epoch, value in ipairs(curve) do
    if stops(epoch, value) then return epoch end
  end
end
-- The best is at epoch 3; two epochs without a better one are over at epoch 5.
expect.equal(stops_at({ 1, 2, 5, 4, 5, 6 }, { patience = 2 }), 5)
expect.equal(stops_at({ 1, 2, 5, 4, 6, 5, 5 }, { patience = 2 }), 7)
expect.equal(stops_at({ 1, 2, 3, 4 }, { patience = 1 }), nil)
-- Steps of 1 are none where 1.5 is asked for: two of them and it is over.
expect.equal(stops_at({ 1, 2, 2, 4, 5, 5 }, { patience = 2, min_delta = 1.5 }), 3)
expect.equal(stops_at({ 5, 1, 1, 1, 1 }, { patience = 2, grace = 2 }), 4)
expect.equal(stops_at({ 5, 4, 4, 3, 3, 3 }, { patience = 2, direction = "min" }), 6)

-- At a learning rate of nearly 0 nothing improves after the first epoch.
local stopped = nas.search {
  name = "stopped", space = widths, strategy = nas.strategies.listed { widths:make { width = 8 } },
  evaluate = nas.evaluators.train_early_stop { data = data, lr = 1e-9, epochs = 20, patience = 3, batch = 32 },
}.trials[1]
expect.equal(stopped.failed, nil)
expect.equal({ stopped.metrics.epochs, #stopped.reports }, { 4, 4 })
-- Until it stops, it is the same training as without a stop.
local whole = nas.search {
  name = "whole", space = widths, strategy = nas.strategies.listed { widths:make { width = 8 } },
  evaluate = nas.evaluators.train { data = data, lr = 0.05, epochs = 3, batch = 32, schedule = "constant" },
}.trials[1]
local patient = nas.search {
  name = "patient", space = widths, strategy = nas.strategies.listed { widths:make { width = 8 } },
  evaluate = nas.evaluators.train_early_stop {
    data = data, lr = 0.05, epochs = 3, batch = 32, patience = 3, metric = "loss",
  },
}.trials[1]
expect.equal(patient.metrics.epochs, 3)
expect.equal(patient.metrics.loss, whole.metrics.loss)
