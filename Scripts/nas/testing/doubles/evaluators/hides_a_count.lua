-- A wrong evaluator: it declares its counter harmless, and isn't.

local nas = require "nas"
local seen = { trials = 0 }

return nas.evaluator {
  depends = { "seen" },
  run = function(trial)
    seen.trials = seen.trials + 1
    return { accuracy = #trial.arch:json() + seen.trials }
  end,
}
