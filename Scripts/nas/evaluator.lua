-- `nas.evaluator`: what turns a trial into metrics. A plain function is one too; the table form names the data it
-- trains on and what its digest should leave out.

local core = require "nas.core"

core.register_class {
  name = "Evaluator",
  object = "evaluator",
  doc = "What turns a trial into metrics: what nas.evaluator and nas.evaluators make.",
  fields = {
    { "run", "fun(trial: Trial): table<string, number>", doc = "evaluates a trial" },
    { "data", "Data", optional = true, doc = "the data it uses" },
    { "epochs", "integer", optional = true, doc = "planned epochs of a trial" },
  },
}

return core.declare("nas.evaluator", {
  doc = [[
An evaluator: `run(trial)` returns a table of metrics (numbers), accuracies in per cent. It must depend only on the
trial and on what it closes over; its code and the values it closes over are part of the identity of each trial.]],
  options = {
    { "run", "fun(trial: Trial): table<string, number>", doc = "function(trial) → table of metrics" },
    { "data", "Data", optional = true, doc = "the data it uses; gives `trial:network()` its task" },
    { "epochs", "integer", optional = true, doc = "planned epochs of a trial, for the progress display" },
    { "depends", "string[]", default = {}, doc = "names of variables that `run` closes over and that don't change its results" },
  },
  returns = "Evaluator",
  example = [[
evaluate = nas.evaluator {
  data = data,
  run = function(trial)
    local network = trial:network()
    network:fit { data = data, epochs = trial.budget.epochs or 3 }
    return network:evaluate(data)
  end,
}]],
}, function(options)
  options.is_evaluator = true
  return options
end)
