-- `nas.latency_predictor`: how long networks of a space take, from the times of their parts.
-- Cai, Zhu & Han, "ProxylessNAS", ICLR 2019, section 3.3 (the latency of a network as the sum of its operators');
-- Zhang et al., "nn-Meter", MobiSys 2021 (parts as they are fused; judged on networks that it was not fitted to).

local core = require "nas.core"
local nas = core.public

local LatencyPredictor = {}
core.declare_class(LatencyPredictor, {
  name = "LatencyPredictor",
  object = "predictor",
  doc = "Predicts the latency of a space's networks: what nas.latency_predictor makes.",
  fields = {
    { "overhead_ms", "number", doc = "of a call, whatever the network" },
    { "factor", "number", doc = "of the sum over the parts" },
    {
      "error", "table",
      doc = "on held-out networks: mean_pct and worst_pct of the latency, kendall_tau of the order, networks",
    },
  },
})
LatencyPredictor.__index = core.class_index(LatencyPredictor, "predictor", {})

--- The sum of the times of a network's parts; `missing(part)` gives those that the predictor doesn't know.
local function sum_of_parts(predictor, network, missing)
  local sum = 0
  for _, part in ipairs(network:parts()) do
    sum = sum + part.count * (predictor.times[part.key] or missing(part))
  end
  return sum
end

--- The line through points (sum, measured) with the least squares of relative errors: { overhead, factor }.
local function fitted(points)
  local w, wx, wy, wxx, wxy = 0, 0, 0, 0, 0
  for _, point in ipairs(points) do
    local weight = 1 / point.measured ^ 2
    w, wx, wy = w + weight, wx + weight * point.sum, wy + weight * point.measured
    wxx, wxy = wxx + weight * point.sum ^ 2, wxy + weight * point.sum * point.measured
  end
  local spread = w * wxx - wx ^ 2
  -- Networks that are all alike tell nothing of the slope.
  local factor = spread > 1e-12 * w * wxx and (w * wxy - wx * wy) / spread or wy / wx
  if factor <= 0 then factor = wy / wx end
  return (wy - factor * wx) / w, factor
end

--- Kendall's tau-a of predicted and measured latencies: 1 for the same order, -1 for the reverse.
local function kendall_tau(points)
  local agreeing, pairs_count = 0, 0
  for i = 1, #points do
    for j = i + 1, #points do
      local product = (points[i].predicted - points[j].predicted) * (points[i].measured - points[j].measured)
      agreeing = agreeing + (product > 0 and 1 or product < 0 and -1 or 0)
      pairs_count = pairs_count + 1
    end
  end
  return pairs_count > 0 and agreeing / pairs_count or 1.0
end

local function error_of(points)
  local total, worst = 0, 0
  for _, point in ipairs(points) do
    local percent = 100 * math.abs(point.predicted - point.measured) / point.measured
    total, worst = total + percent, math.max(worst, percent)
  end
  return {
    networks = #points, mean_pct = total / #points, worst_pct = worst, kendall_tau = kendall_tau(points),
  }
end

--- Draws in a row that bring nothing new before a space counts as used up.
local patience = 200

--- Up to `count` random architectures of a space, each once.
local function distinct(space, count)
  local archs, seen, idle = {}, {}, 0
  while #archs < count and idle < patience do
    local arch = space:random()
    if seen[arch:id()] then
      idle = idle + 1
    else
      archs[#archs + 1], seen[arch:id()], idle = arch, true, 0
    end
  end
  return archs
end

--- Architectures to fit the line to and others to judge it by: fewer of both in a small space.
local function drawn(options)
  local archs = distinct(options.space, options.sample + options.held_out)
  if #archs < 3 then
    core.fail {
      message = "nas.latency_predictor: the space is too small",
      expected = "at least 3 architectures: 2 that the line is fitted to, one that is held out",
      got = tostring(options.space),
    }
  end
  local share = options.sample / (options.sample + options.held_out)
  local sample = math.max(2, math.min(options.sample, #archs - 1, math.floor(share * #archs + 0.5)))
  return table.move(archs, 1, sample, 1, {}), table.move(archs, sample + 1, #archs, 1, {})
end

--- The architectures' measured latencies, and the sums over their parts.
local function measured_points(predictor, archs)
  local points = {}
  for index, arch in ipairs(archs) do
    local network = nas.network(arch, predictor.task)
    local sum = sum_of_parts(predictor, network, function(part)
      predictor.times[part.key] = network:part_latency(part.key)
      return predictor.times[part.key]
    end)
    points[index] = { sum = sum, measured = network:latency().median_ms }
  end
  return points
end

LatencyPredictor.predict = core.declare("predictor:predict", {
  doc = [[
The latency in milliseconds of an architecture's network, as network:latency().median_ms would measure it. Parts that
the predictor's own networks didn't have are timed.]],
  { "predictor", "LatencyPredictor" },
  { "arch", "Architecture", doc = "of the space that the predictor was made for" },
  returns = "number",
}, function(predictor, arch)
  core.require_of(arch, predictor.space, "predictor:predict")
  local network = nas.network(arch, predictor.task)
  -- What an evaluator closes over mustn't change: the times of other parts are kept in the machine's table alone.
  local sum = sum_of_parts(predictor, network, function(part) return network:part_latency(part.key) end)
  return math.max(0, predictor.overhead_ms + predictor.factor * sum)
end)

local function wrong_input(got)
  core.fail {
    message = "nas.latency_predictor: wrong option 'input'",
    expected = "{ height, width, channels }, whole numbers from 1",
    got = got,
  }
end

--- The task of the networks as nas.network takes it: by data, or else by both of the other options.
local function task_of(options)
  local input, classes = options.input, options.classes
  if options.data then
    if input or classes then
      core.fail {
        message = ("nas.latency_predictor: the options 'data' and '%s' exclude each other"):format(
          input and "input" or "classes"),
        hint = "The data gives the input's shape and the classes.",
      }
    end
    return { data = options.data }
  end
  if not (input and classes) then
    core.fail {
      message = "nas.latency_predictor needs to know the networks' task",
      expected = "data = …, or input = { height, width, channels } and classes = …",
      got = input and "input alone" or classes and "classes alone" or "neither",
    }
  end
  local sides = {}
  for index, side in ipairs(input) do sides[index] = core.show(side) end
  if #input ~= 3 then wrong_input(#input == 0 and "no list" or ("{ %s }"):format(table.concat(sides, ", "))) end
  for _, side in ipairs(input) do
    if math.type(side) ~= "integer" or side < 1 then wrong_input(("{ %s }"):format(table.concat(sides, ", "))) end
  end
  return { input = input, classes = classes }
end

--- Fits the line to the networks of `sample`, and judges it by those of `held_out`.
local function fit(predictor, sample, held_out)
  local overhead, factor = fitted(measured_points(predictor, sample))
  rawset(predictor, "overhead_ms", overhead)
  rawset(predictor, "factor", factor)
  local points = measured_points(predictor, held_out)
  for _, point in ipairs(points) do point.predicted = math.max(0, overhead + factor * point.sum) end
  rawset(predictor, "error", error_of(points))
end

return core.declare("nas.latency_predictor", {
  doc = [[
A predictor of latencies on this machine, for searches that can't time every candidate: a table of the times of
networks' parts (network:part_latency), and a line from their sum to the latency, fitted to `sample` random networks of
the space. Its error on `held_out` others, which the fit has not seen, is in `error` and in the run's record. All of
them are distinct architectures: fewer in a small space.
An evaluator may close over it: its space, its task, its table of times and its line are then part of each trial.]],
  source = "Cai et al., ICLR 2019, section 3.3; Zhang et al., MobiSys 2021",
  options = {
    { "space", "Space", doc = "with a build" },
    { "data", "Data", optional = true, doc = "gives the input's shape and the classes" },
    { "input", "table", optional = true, doc = "{ height, width, channels }, without data" },
    { "classes", "integer", optional = true, min = 1, doc = "without data" },
    { "sample", "integer", min = 2, default = 12, doc = "random networks that the line is fitted to" },
    { "held_out", "integer", min = 2, default = 12, doc = "random networks that the error is measured on" },
  },
  returns = "LatencyPredictor",
  example = [[
local predictor = nas.latency_predictor { space = space, data = data }
local result = nas.search {
  space = space,
  strategy = nas.strategies.regularized_evolution { population = 20, sample = 5 },
  objectives = { { "accuracy", "max" }, { "predicted_ms", "min" } },
  evaluate = nas.evaluator {
    data = data,
    run = function(trial)
      local network = trial:network()
      network:fit { data = data, epochs = 3 }
      local metrics = network:evaluate(data)
      return { accuracy = metrics.accuracy, predicted_ms = predictor:predict(trial.arch) }
    end,
  },
  stop = { trials = 100 },
}]],
}, function(options)
  local predictor = setmetatable({ space = options.space, times = {}, task = task_of(options) }, LatencyPredictor)
  core.within("latency_predictor", function() fit(predictor, drawn(options)) end)
  local judged, wanted = predictor.error, options.held_out
  core.note(("latency predictor: mean error %.1f %%, worst %.1f %%, Kendall's tau %.2f on %d held-out networks%s"):format(
    judged.mean_pct, judged.worst_pct, judged.kendall_tau, judged.networks,
    judged.networks < wanted and (" (%d were asked for: the space has no more)"):format(wanted) or ""))
  return predictor
end)
