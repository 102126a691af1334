-- Measures: objectives that can be read off a network, whatever the evaluator reports. An objective that the
-- evaluator's metrics lack is looked up here. `observed` marks those that depend on the machine and the moment.

local core = require "nas.core"

local function timings(network)
  local timing = network:latency()
  return {
    latency_ms = timing.median_ms, latency_p10_ms = timing.p10_ms, latency_p90_ms = timing.p90_ms,
    latency_end_to_end_ms = timing.end_to_end_ms,
  }
end

local measures = {
  params = {
    doc = "trainable parameters",
    run = function(network) return { params = network.params } end,
  },
  macs = {
    doc = "multiply-accumulates of one forward pass at batch 1 (convolutions and linear layers)",
    run = function(network) return { macs = network.macs } end,
  },
  memory_bytes = {
    doc = "peak memory of inference at batch 1: arena and parameters, exact",
    run = function(network) return { memory_bytes = network.memory_bytes } end,
  },
  latency_ms = {
    doc = "median time of one forward pass at batch 1 on one thread",
    observed = true,
    run = timings,
  },
  latency_end_to_end_ms = {
    doc = "median time from an image's bytes to the answer at batch 1 on one thread",
    observed = true,
    run = timings,
  },
}

for name, measure in pairs(measures) do
  core.register_value { name = "objectives." .. name, type = "number", doc = measure.doc }
end

return measures
