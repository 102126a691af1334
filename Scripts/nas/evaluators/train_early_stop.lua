-- The training evaluator with early stopping: trains until the learning curve stops rising.
-- Prechelt, "Early Stopping -- But When?", Neural Networks: Tricks of the Trade, 1998.

local nas = require "nas"
local training = require "nas.training"

return nas.declare("nas.evaluators.train_early_stop", {
  doc = [[
Trains each architecture from scratch for at most `epochs`, scores it on the validation split after each, and stops once
`metric` has not risen for `patience` epochs. Returns the scores of the network as it then is, and `epochs`, how many it
was trained. The learning rate is constant unless `schedule` says otherwise: a cosine is meant for all epochs.]],
  source = "Prechelt 1998, section 2.2.1",
  options = training.options {
    { "epochs", "number|function|string", min = 1, default = 30, doc = "at most" },
    {
      "schedule", "string", one_of = { "cosine", "cosine_by_step", "constant", "step" }, default = "constant",
      doc = "over all `epochs`, however soon training stops",
    },
    { "metric", "string", default = "accuracy", doc = "of the validation split; of loss and the like, less is better" },
    { "patience", "integer", min = 1, default = 5, doc = "epochs without improvement" },
    { "min_delta", "number", min = 0, default = 0, doc = "an improvement is more than this, in units of the metric" },
    { "grace", "integer", min = 0, default = 0, doc = "epochs at the start that don't count" },
  },
  returns = "Evaluator",
}, function(options)
  training.check(options, "nas.evaluators.train_early_stop")
  local data, metric, settings = options.data, options.metric, training.settings(options)
  local rule = { patience = options.patience, min_delta = options.min_delta, grace = options.grace }
  rule.direction = metric:find "loss" and "min" or metric:find "mse" and "min" or metric:find "mae" and "min" or "max"

  return nas.evaluator {
    data = data,
    epochs = math.tointeger(options.epochs),
    run = function(trial)
      local network, stops, scores, trained = trial:network(), nas.early_stopping(rule), nil, 0
      local fit = training.resolved(settings, trial.arch)
      fit.epochs = trial.budget.epochs or fit.epochs
      fit.on_epoch = function(epoch, report)
        scores, trained = network:evaluate(data), epoch
        if scores[metric] == nil then
          nas.fail {
            message = ("nas.evaluators.train_early_stop: there is no metric '%s'"):format(metric),
            expected = "accuracy, balanced_accuracy, macro_f1 or loss; of a regression rmse, mae, r2 or loss",
          }
        end
        for name, value in pairs(scores) do report[name] = value end
        trial:report(epoch, report)
        return not stops(epoch, scores[metric])
      end
      network:fit(fit)
      scores.epochs = trained
      return scores
    end,
  }
end)
