-- The training evaluator: trains the architecture's network from scratch and scores it on a held-out split.

local nas = require "nas"

return nas.declare("nas.evaluators.train", {
  doc = [[
Trains each architecture from scratch and returns its metrics on the `score` split: accuracy, balanced_accuracy,
macro_f1 (per cent) and loss. Defaults are NAS-Bench-201's protocol (SGD with Nesterov momentum, cosine schedule to
zero over the trial's epochs). A trial's own `epochs` (`search:evaluate(arch, { epochs = 9 })`) wins over the option.]],
  source = "Dong & Yang, ICLR 2020, table 1",
  options = {
    { "data", "Data", doc = "from nas.data.open" },
    { "train", "string", one_of = { "train", "train+valid" }, default = "train", doc = 'split to train on: "train", or "train+valid" for a final training' },
    { "score", "string", one_of = { "valid", "test" }, default = "valid", doc = 'split to score on: "valid" or "test"' },
    { "epochs", "integer", min = 1, default = 3, doc = "of a trial whose budget names none" },
    { "batch", "integer", min = 1, default = 64, doc = "images per step" },
    { "lr", "number", min = 0, default = 0.1, doc = "peak learning rate" },
    {
      "schedule", "string", one_of = { "cosine", "cosine_by_step", "constant", "step" }, default = "cosine",
      doc = '"cosine" (per epoch), "cosine_by_step", "constant" or "step" (÷10 at 1/2 and 3/4 of the epochs)',
    },
    { "warmup", "number", min = 0, default = 0, doc = "epochs of linear warm-up" },
    { "momentum", "number", min = 0, max = 1, default = 0.9, doc = "of SGD" },
    { "nesterov", "boolean", default = true, doc = "Nesterov's momentum" },
    { "weight_decay", "number", min = 0, default = 5e-4, doc = "times the weights, added to their gradients" },
    { "decay_norm", "boolean", default = true, doc = "also decay batch-norm parameters and biases" },
    { "label_smoothing", "number", min = 0, max = 1, default = 0, doc = "share of a target spread over all classes" },
    { "clip", "number", min = 0, default = 0, doc = "gradient clipping by global norm; 0 is off" },
    { "augment", "table", default = {}, doc = "{ flip = true, crop = 4, cutout = 8 }: horizontal flip, padded crop, cutout" },
    { "every", "integer", min = 0, default = 1, doc = "score after every so many epochs for the learning curve; 0: only at the end" },
  },
  returns = "Evaluator",
  example = "evaluate = nas.evaluators.train { data = data, epochs = 3, batch = 64, augment = { flip = true } }",
}, function(options)
  if options.train == "train+valid" and options.score == "valid" then
    nas.fail {
      message = "nas.evaluators.train would score on images that it trained on",
      expected = 'score = "test" with train = "train+valid"',
      got = 'score = "valid"',
    }
  end
  for name in pairs(options.augment) do
    if name ~= "flip" and name ~= "crop" and name ~= "cutout" then
      nas.fail {
        message = ("nas.evaluators.train: unknown augmentation '%s'"):format(tostring(name)),
        expected = "flip, crop or cutout",
      }
    end
  end
  local data, score, every, epochs = options.data, options.score, options.every, options.epochs
  local settings = {}
  for key, value in pairs(options) do
    if key ~= "score" and key ~= "every" and key ~= "epochs" and key ~= "train" then settings[key] = value end
  end
  settings.split = options.train

  return nas.evaluator {
    data = data,
    epochs = epochs,
    run = function(trial)
      local network = trial:network()
      local fit = {}
      for key, value in pairs(settings) do fit[key] = value end
      fit.epochs = trial.budget.epochs or epochs
      fit.on_epoch = function(epoch, metrics)
        if every > 0 and epoch % every == 0 and epoch < fit.epochs then
          for name, value in pairs(network:evaluate(data, { split = score })) do metrics[name] = value end
        end
        trial:report(epoch, metrics)
      end
      network:fit(fit)
      return network:evaluate(data, { split = score })
    end,
  }
end)
