-- The evaluator "cross_validation": the mean over folds of what a training reaches.
-- Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", JRSS B 1974; stratified folds as advised
-- by Kohavi, "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model Selection", IJCAI 1995.

local nas = require "nas"
local training = require "nas.training"

--- Mean and standard deviation (n - 1 degrees of freedom) of some numbers.
local function summary(values)
  local mean, square = 0, 0
  for _, value in ipairs(values) do mean = mean + value / #values end
  for _, value in ipairs(values) do square = square + (value - mean) ^ 2 end
  return mean, math.sqrt(square / (#values - 1))
end

return nas.declare("nas.evaluators.cross_validation", {
  doc = [[
Trains each architecture `folds` times, each time with fresh weights and another part of the training and validation
samples held out, and returns the mean of each metric under its name and its standard deviation as accuracy_std and so
on. Folds are stratified by class. For data too small for one split to tell networks apart; it costs `folds` trainings.]],
  source = "Stone 1974; Kohavi, IJCAI 1995, section 4",
  options = training.options {
    { "folds", "integer", min = 2, default = 5, doc = "parts, each held out once" },
    { "seed", "integer", min = 0, default = 0, doc = "decides which samples are in which part" },
  },
  returns = "Evaluator",
}, function(options)
  training.check(options, "nas.evaluators.cross_validation")
  local folds = options.data:folds(options.folds, { seed = options.seed })
  local settings = training.settings(options)
  settings.data = nil

  return nas.evaluator {
    data = options.data,
    epochs = math.tointeger(options.epochs),
    run = function(trial)
      if trial.continues then
        nas.fail { message = "nas.evaluators.cross_validation can't go on with an earlier trial's training" }
      end
      local values, network = {}, trial:network()
      for number, data in ipairs(folds) do
        local fold = number == 1 and network or network:fresh { stream = "fold" .. number }
        local fit = training.resolved(settings, trial.arch)
        fit.data, fit.epochs = data, trial.budget.epochs or fit.epochs
        fold:fit(fit)
        for name, value in pairs(fold:evaluate(data, { split = "valid" })) do
          values[name] = values[name] or {}
          values[name][number] = value
        end
      end
      local metrics = {}
      for name, list in pairs(values) do metrics[name], metrics[name .. "_std"] = summary(list) end
      return metrics
    end,
  }
end)
