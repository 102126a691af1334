-- `nas.evaluator`: what turns a trial into metrics. A plain function is one too; the table form names the data it
-- trains on and what its digest should leave out.

local core = require "nas.core"

return core.declare("nas.evaluator", {
  doc = [[
An evaluator: `run(trial)` returns a table of metrics (numbers), accuracies in per cent. It must depend only on the
trial and on what it closes over; its code and the values it closes over are part of the identity of each trial.]],
  options = {
    { "run", "function", doc = "function(trial) → table of metrics" },
    { "data", "Data", optional = true, doc = "the data it uses; gives `trial:network()` its task" },
    { "epochs", "integer", optional = true, doc = "planned epochs of a trial, for the progress display" },
    { "depends", "table", default = {}, doc = "names of variables that `run` closes over and that don't change its results" },
  },
}, function(options)
  options.is_evaluator = true
  return options
end)
