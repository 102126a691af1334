-- A wrong evaluator: it returns a number and no table.

return function(trial) return #trial.arch:json() end
