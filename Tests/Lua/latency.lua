-- Timing networks, and predicting their latency from their parts.

local nas = require "nas"
local expect = require "expect"
local nn = nas.nn

local space = nas.space {
  channels = nas.oneof { 4, 8, 96 },
  layers = nas.int(1, 3),
  build = function(arch, x, task)
    for _ = 1, arch.layers do
      x = nn.relu(nn.batch_norm(nn.conv2d(x, arch.channels, { kernel = 3 })))
    end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}
local task = { input = { 16, 16, 3 }, classes = 4 }
local small = nas.network(space:make { channels = 4, layers = 1 }, task)
local large = nas.network(space:make { channels = 96, layers = 3 }, task)

-- Timings.
local timing = small:latency { rounds = 2, calls = 4, warmup = 1, pause_ms = 0 }
expect.equal(timing.calls, 8)
assert(timing.min_ms > 0 and timing.min_ms <= timing.p10_ms and timing.p10_ms <= timing.median_ms)
assert(timing.median_ms <= timing.p90_ms and timing.p90_ms <= timing.p99_ms)
assert(timing.end_to_end_ms > timing.min_ms)
expect.equal(timing.is_quiet, timing.waiting_pct <= 5 and timing.slowdown_pct <= 10)

-- Parts: a convolution with what is computed along with it; equal ones are counted.
local parts = large:parts()
expect.equal(parts[1].name, "conv2d batch_norm relu")
expect.equal(parts[2].name, "conv2d batch_norm relu")
expect.equal(parts[2].count, 2)
expect.equal(#parts, 4)
local one = large:part_latency(parts[2].key)
assert(one > 0)
-- The table of the machine has it now, unless the machine was busy.
assert(large:part_latency(parts[2].key) > 0)
expect.raises("the network has no such part", function() small:part_latency("nothing") end)

-- A predictor.
local predictor = nas.latency_predictor {
  space = space, input = task.input, classes = task.classes, sample = 4, held_out = 3,
}
assert(predictor.error.networks == 3 and predictor.error.mean_pct <= predictor.error.worst_pct)
assert(predictor.error.kendall_tau >= -1 and predictor.error.kendall_tau <= 1)
assert(predictor.factor > 0)
assert(predictor:predict(large.arch) > predictor:predict(small.arch))
expect.raises("predictor has no 'accuracy'", function() return predictor.accuracy end)

-- In a search, whose evaluator closes over it: many of these networks have parts that it hasn't seen.
local cells = nas.spaces.nasbench201 { channels = 4, cells = 1 }
local cells_predictor = nas.latency_predictor { space = cells, input = { 8, 8, 3 }, classes = 4, sample = 2, held_out = 2 }
local result = nas.search {
  space = cells,
  strategy = nas.strategies.random {},
  objectives = { { "predicted_ms", "min" } },
  evaluate = function(trial) return { predicted_ms = cells_predictor:predict(trial.arch) } end,
  stop = { trials = 60 },
}
expect.equal(#result.trials, 60)
for _, trial in ipairs(result.trials) do assert(not trial.failed and trial.metrics.predicted_ms >= 0) end

-- What it is judged by was not fitted: in a small space fewer networks are held out.
local function of_widths(widths)
  return nas.space {
    width = nas.oneof(widths),
    build = function(arch, x, about)
      return nn.linear(nn.relu(nn.linear(nn.flatten(x), arch.width)), about.classes)
    end,
  }
end
local of_four = nas.latency_predictor { space = of_widths { 8, 16, 32, 64 }, input = { 4, 4, 1 }, classes = 2 }
expect.equal(of_four.error.networks, 2)
expect.raises(
  "nas.latency_predictor: the space is too small: expected at least 3 architectures: 2 that the line is fitted to, "
    .. "one that is held out, got Space(space, 2 architectures)",
  function() nas.latency_predictor { space = of_widths { 8, 16 }, input = { 4, 4, 1 }, classes = 2 } end)

-- Its task.
local function of_task(options)
  options.space = space
  return function() nas.latency_predictor(options) end
end
expect.raises(
  "nas.latency_predictor: wrong option 'input': expected { height, width, channels }, whole numbers from 1, got { 16, 16 }",
  of_task { input = { 16, 16 }, classes = 4 })
expect.raises("whole numbers from 1, got { 16, 0, 3 }", of_task { input = { 16, 0, 3 }, classes = 4 })
expect.raises(
  "nas.latency_predictor needs to know the networks' task: expected data = …, or input = { height, width, channels } "
    .. "and classes = …, got input alone",
  of_task { input = { 16, 16, 3 } })
local data = nas.data.open("shapes", { limit = 40 })
expect.raises(
  "nas.latency_predictor: the options 'data' and 'input' exclude each other. The data gives the input's shape and the "
    .. "classes.",
  of_task { data = data, input = { 16, 16, 3 } })

-- It knows one space: also built twice, but no other one.
expect.equal(cells_predictor:predict(nas.spaces.nasbench201 { channels = 4, cells = 1 }:random()) >= 0, true)
expect.raises(
  "predictor:predict: the architecture is of another space: expected an architecture of Space(nasbench201, 15625 "
    .. "architectures), got one of Space(space, 9 architectures)",
  function() cells_predictor:predict(large.arch) end)
expect.raises("the architecture is of another space", function()
  cells_predictor:predict(nas.spaces.nasbench201 { channels = 8, cells = 1 }:random())
end)
