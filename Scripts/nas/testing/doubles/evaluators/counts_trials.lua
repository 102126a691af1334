-- A wrong evaluator: the more trials there were, the better it scores.

local trials = 0

return function(trial)
  trials = trials + 1
  return { accuracy = #trial.arch:json() + trials }
end
