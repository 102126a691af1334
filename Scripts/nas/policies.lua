-- What policies over the decisions of a space have in common: draws, rewards and their baseline.

local core = require "nas.core"
local categories = require "nas.categories"
local nn, nas = core.nn, core.public
local policies = {}

--- Draws in a row that the space's `valid` may reject.
local patience = 1000

--- How many distributions a decision needs: one, or one for each slot of a manyof whose slots differ.
function policies.slots(decision)
  local is_set = decision.distinct and not decision.ordered
  return decision.picks and not is_set and decision.picks or 1
end

--- The name of the distribution of a decision's slot.
function policies.key(decision, slot)
  return policies.slots(decision) > 1 and decision.site .. "#" .. slot or decision.site
end

--- Draws from a decision's softmax. Returns the answer for space:compose, the logarithm of its probability and the
--- entropy, as Tensors, and the category. Options that the slots of a distinct manyof have taken have probability 0.
function policies.choose(decision, logits, levels, rng)
  local count, answer = categories(decision, levels)
  if decision.distinct and #decision.chosen > 0 then
    local mask = {}
    for category = 1, count do mask[category] = 0 end
    for _, position in ipairs(decision.chosen) do mask[position] = -1e9 end
    logits = logits + nas.tensor(mask)
  end
  local log_probabilities = nn.log_softmax(logits)
  local probabilities = nn.exp(log_probabilities)
  local left, drawn = rng:uniform(), nil
  for category, p in ipairs(probabilities:totable()) do
    if p > 0 then
      drawn, left = category, left - p
      if left < 0 then break end
    end
  end
  local log_p = nn.sum(nn.slice(log_probabilities, { axis = 1, start = drawn, stop = drawn }))
  -- A category of a single number takes no draw.
  local fraction = decision.options and 0 or rng:uniform()
  return answer(drawn, fraction), log_p, -nn.sum(probabilities * log_probabilities), drawn
end

--- An architecture that the space accepts; `begin()` starts a draw and returns what answers its questions.
function policies.draw(space, begin)
  for _ = 1, patience do
    local arch = space:compose(begin())
    if arch then return arch end
  end
  core.fail {
    message = ("the policy drew no valid architecture in %d tries"):format(patience),
    hint = "Make `valid` less strict, or build the space so that more of it is valid.",
  }
end

--- The reward of a trial: the primary objective, or `by` of its metrics; more is better. That of a trial that failed or
--- broke a constraint is the worst so far, nil as long as none succeeded.
function policies.reward(search, by)
  local objective, worst = search.objectives[1], nil
  local sign = objective.direction == "max" and 1 or -1
  return function(trial)
    if trial.failed or trial.feasible == false then return worst end
    local value = by and by(trial.metrics) or sign * trial.metrics[objective.name]
    worst = math.min(worst or value, value)
    return value
  end
end

--- The advantage of a reward over the moving average of those before and itself, as NATS-Bench's baseline: corrected
--- for its start, and updated first, so that the first advantage is 0.
function policies.baseline(momentum)
  local sum, weight = 0, 0
  return function(reward)
    sum = momentum * sum + (1 - momentum) * reward
    weight = momentum * weight + (1 - momentum)
    return weight > 0 and reward - sum / weight or reward
  end
end

return policies
