-- A wrong evaluator: it scores by the memory that is in use.

return function(trial)
  return { accuracy = #trial.arch:json() + collectgarbage("count") % 1 }
end
