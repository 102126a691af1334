-- A wrong evaluator: it mixes what was measured this once into a metric that is recorded as exact.

local nas = require "nas"

return nas.evaluator {
  data = nas.data.open("shapes", { limit = 80, valid = 16, test_limit = 16 }),
  run = function(trial)
    local latency = trial:network():latency { warmup = 0, rounds = 1, calls = 3, pause_ms = 0 }
    return { accuracy = 90 - latency.median_ms }
  end,
}
