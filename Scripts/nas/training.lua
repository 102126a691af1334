-- The options of a training that evaluators have in common, and what they are for one architecture.

local core = require "nas.core"
local training = {}

--- A setting that may depend on the architecture, so that a space can decide it beside the network.
local varied = "number|function|string"

local shared = {
  { "data", "Data", doc = "from nas.data.open" },
  { "epochs", varied, min = 1, default = 3, doc = "of a trial whose budget names none" },
  { "batch", varied, min = 1, default = 64, doc = "images per step" },
  {
    "lr", varied, min = 0, default = 0.1,
    doc = 'peak learning rate: a number, function(arch) → number, or the path of a decision: "lr"',
  },
  {
    "schedule", "string", one_of = { "cosine", "cosine_by_step", "constant", "step" }, default = "cosine",
    doc = '"cosine" (per epoch), "cosine_by_step", "constant" or "step" (÷10 at 1/2 and 3/4 of the epochs)',
  },
  {
    "schedule_epochs", varied, min = 1, optional = true,
    doc = "length of the schedule; default: the trial's epochs. Fix it at the largest budget, and trials of all budgets "
      .. "are stretches of one training",
  },
  { "warmup", varied, min = 0, default = 0, doc = "epochs of linear warm-up" },
  { "momentum", varied, min = 0, max = 1, default = 0.9, doc = "of SGD" },
  { "nesterov", "boolean", default = true, doc = "Nesterov's momentum" },
  { "weight_decay", varied, min = 0, default = 5e-4, doc = "times the weights, added to their gradients" },
  { "decay_norm", "boolean", default = true, doc = "also decay batch-norm parameters and biases" },
  { "label_smoothing", varied, min = 0, max = 1, default = 0, doc = "share of a target spread over all classes" },
  {
    "precision", "string", one_of = { "fp32", "bf16" }, default = "fp32",
    doc = "bf16: linear layers multiply numbers rounded to bfloat16 while training; weights and scores stay in fp32",
  },
  { "clip", varied, min = 0, default = 0, doc = "gradient clipping by global norm; 0 is off" },
  {
    "augment", "table", default = {},
    doc = "{ flip = true, crop = 4, cutout = 8 }: horizontal flip, padded crop, cutout",
  },
}

--- The declarations of these options, then of an evaluator's own; its own stand in for one of the same name.
function training.options(own)
  local options, replaced = {}, {}
  for _, option in ipairs(own) do replaced[option[1]] = true end
  for _, option in ipairs(shared) do
    if not replaced[option[1]] then options[#options + 1] = option end
  end
  return table.move(own, 1, #own, #options + 1, options)
end

--- Throws for a part of an epoch or of an image, and for an augmentation that there isn't, in the evaluator's name.
function training.check(options, evaluator)
  for _, name in ipairs { "epochs", "batch" } do
    if type(options[name]) == "number" and not math.tointeger(options[name]) then
      core.fail {
        message = ("%s: wrong option '%s'"):format(evaluator, name),
        expected = "an integer",
        got = core.show(options[name]),
      }
    end
  end
  for name in pairs(options.augment) do
    if name ~= "flip" and name ~= "crop" and name ~= "cutout" then
      core.fail {
        message = ("%s: unknown augmentation '%s'"):format(evaluator, tostring(name)),
        expected = "flip, crop or cutout",
      }
    end
  end
end

--- The settings that network:fit takes, of the options given to an evaluator.
function training.settings(options)
  local settings = {}
  for _, option in ipairs(shared) do settings[option[1]] = options[option[1]] end
  return settings
end

--- The value of the decision at a path, or of that label.
local function decided(arch, option, path)
  local known = {}
  for index, decision in ipairs(arch:decisions()) do
    if decision.path == path or decision.name == path then return decision.value end
    known[index] = decision.path
  end
  core.fail {
    message = ("the option '%s' names a decision that the architecture doesn't have"):format(option),
    got = "'" .. path .. "'",
    hint = core.suggest(path, known),
  }
end

--- The names of the settings that may depend on the architecture: a text there is the path of a decision.
local is_varied = {}
for _, option in ipairs(shared) do is_varied[option[1]] = option[2] == varied end

--- The settings for an architecture: functions called on it, paths replaced by what it decides there.
function training.resolved(settings, arch)
  local resolved = {}
  for name, value in pairs(settings) do
    if type(value) == "function" then
      value = value(arch)
      if type(value) ~= "number" then
        core.fail {
          message = ("wrong result of the function for the option '%s'"):format(name),
          expected = "a number",
          got = core.show(value),
        }
      end
    elseif type(value) == "string" and is_varied[name] then
      value = decided(arch, name, value)
    end
    resolved[name] = value
  end
  return resolved
end

return training
