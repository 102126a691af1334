-- REINFORCE over a table of logits: the policy without a network.
-- Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning", Machine
-- Learning 1992; the policy, Adam and the baseline as in NATS-Bench (exps/NATS-algos/reinforce.py).

local nas = require "nas"
local policies = require "nas.policies"

--- A table of logits for every decision, each N(0, 1e-3); a manyof whose slots differ has one for each slot.
local function logits_of(space, levels, rng)
  local tables, list = {}, {}
  for _, decision in ipairs(space:decisions()) do
    for slot = 1, policies.slots(decision) do
      local numbers = {}
      for category = 1, (nas.categories(decision, levels)) do numbers[category] = 1e-3 * rng:normal() end
      local logits = nas.tensor(numbers, { requires_grad = true })
      tables[policies.key(decision, slot)] = logits
      list[#list + 1] = logits
    end
  end
  return tables, list
end

return nas.declare("nas.strategies.reinforce", {
  doc = [[
REINFORCE: every decision has a softmax over its options, all independent; each architecture drawn moves them by its
reward less a moving average of the rewards. The reward is the primary objective (its negative where less is better), a
failed trial's the worst so far. Decisions inside options that were not chosen are left as they are.]],
  source = "Williams 1992; Dong et al. 2021 (NATS-Bench), section 4.1",
  options = {
    { "lr", "number", min = 0, default = 0.01, doc = "learning rate of Adam" },
    { "momentum", "number", min = 0, max = 1, default = 0.9, doc = "of the moving average of rewards" },
    { "levels", "integer", min = 1, default = 8, doc = "parts of a real or long range, each with a logit" },
    { "reward", "function", optional = true, doc = "function(metrics) → number, more is better" },
  },
  returns = "fun(search: Search)",
}, function(options)
  return function(search)
    local tables, list = logits_of(search.space, options.levels, search.rng)
    if #list == 0 then return search:evaluate(search.space:random()) end
    local adam = nas.optim.adam(list, { lr = options.lr })
    local reward = policies.reward(search, options.reward)
    local baseline = policies.baseline(options.momentum)
    while true do
      local log_probability
      local arch = policies.draw(search.space, function()
        log_probability = 0
        return function(decision)
          local logits = tables[policies.key(decision, decision.slot)]
          local answer, log_p = policies.choose(decision, logits, options.levels, search.rng)
          log_probability = log_probability + log_p
          return answer
        end
      end)
      local value = reward(search:evaluate(arch))
      if value then
        adam:zero_grad()
        local loss = -log_probability * baseline(value)
        loss:backward()
        adam:step()
      end
    end
  end
end)
