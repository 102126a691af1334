-- The training evaluator: trains the architecture's network from scratch and scores it on a held-out split.

local nas = require "nas"
local training = require "nas.training"

return nas.declare("nas.evaluators.train", {
  doc = [[
Trains each architecture from scratch and returns its metrics on the `score` split: accuracy, balanced_accuracy,
macro_f1 (per cent) and loss. Defaults are NAS-Bench-201's protocol (SGD with Nesterov momentum, cosine schedule to
zero over the trial's epochs). A trial's own `epochs` (`search:evaluate(arch, { epochs = 9 })`) wins over the option. A
trial of `search:continue` trains on from where the earlier one stopped. Numbers may also be functions of the
architecture, or the path of a decision, so that a space decides them too: with lr = nas.float(1e-3, 1, { log = true })
in the space, lr = "lr" here.]],
  source = "Dong & Yang, ICLR 2020, table 1",
  options = training.options {
    {
      "train", "string", one_of = { "train", "train+valid" }, default = "train",
      doc = 'split to train on: "train", or "train+valid" for a final training',
    },
    { "score", "string", one_of = { "valid", "test" }, default = "valid", doc = "split to score on" },
    {
      "every", "integer", min = 0, default = 1,
      doc = "score after every so many epochs for the learning curve; 0: only at the end",
    },
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
  training.check(options, "nas.evaluators.train")
  local data, score, every = options.data, options.score, options.every
  local settings = training.settings(options)
  local split = options.train

  return nas.evaluator {
    data = data,
    epochs = math.tointeger(options.epochs),
    run = function(trial)
      local network = trial:network()
      local fit = training.resolved(settings, trial.arch)
      fit.split = split
      fit.epochs = trial.budget.epochs or fit.epochs
      fit.on_epoch = function(epoch, metrics)
        if every > 0 and epoch % every == 0 and epoch < fit.epochs then
          for name, value in pairs(network:evaluate(data, { split = score })) do metrics[name] = value end
        end
        trial:report(epoch, metrics)
      end
      network:fit(fit)
      local scores = network:evaluate(data, { split = score })
      trial:report(fit.epochs, scores)
      return scores
    end,
  }
end)
