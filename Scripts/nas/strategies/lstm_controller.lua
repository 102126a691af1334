-- An LSTM that writes architectures, decision by decision, trained by REINFORCE.
-- Zoph & Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, sections 3.1 and 3.2; the entropy
-- bonus as in Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018. Without the anchor
-- points of section 3.3 and the growing number of layers: a space says itself what can be connected.

local nas = require "nas"
local policies = require "nas.policies"
local nn = nas.nn

--- The distributions of a space: for each key its place in the model and how many categories it has.
local function heads_of(space, levels)
  local heads, count = {}, 0
  for _, decision in ipairs(space:decisions()) do
    for slot = 1, policies.slots(decision) do
      count = count + 1
      heads[policies.key(decision, slot)] = { name = "decision" .. count, count = (nas.categories(decision, levels)) }
    end
  end
  return heads, count
end

--- The parameters of the model that is being called: the LSTM's layers, and for each distribution its softmax and the
--- embedding of what is drawn from it.
local function parameters(heads, options)
  local hidden, bound = options.hidden, { scale = options.init }
  local found = { start = nn.parameter("start", { 1, hidden }, bound), layers = {}, heads = {} }
  for layer = 1, options.layers do
    found.layers[layer] = {
      weight = nn.parameter(("layer%d_weight"):format(layer), { 2 * hidden, 4 * hidden }, bound),
      bias = nn.parameter(("layer%d_bias"):format(layer), { 4 * hidden }, bound),
    }
  end
  for key, head in pairs(heads) do
    found.heads[key] = {
      softmax = nn.parameter(head.name .. "_softmax", { hidden, head.count }, bound),
      embedding = nn.parameter(head.name .. "_embedding", { head.count, hidden }, bound),
    }
  end
  return found
end

--- The states of the layers before the first decision.
local function first_states(options)
  local states = {}
  for layer = 1, options.layers do
    states[layer] = { h = nas.zeros { 1, options.hidden }, c = nas.zeros { 1, options.hidden } }
  end
  return states
end

--- One step of the stacked LSTM: the output of the last layer.
local function step(layers, states, x)
  for layer, state in ipairs(states) do
    state.h, state.c = nn.lstm_step(x, state.h, state.c, layers[layer].weight, layers[layer].bias)
    x = state.h
  end
  return x
end

--- Writes an architecture; returns it with the sums of its log-probabilities and entropies.
local function write(space, rng, found, options)
  local log_probability, entropy
  local arch = policies.draw(space, function()
    local x, states = found.start, first_states(options)
    log_probability, entropy = 0, 0
    return function(decision)
      local head = found.heads[policies.key(decision, decision.slot)]
      local logits = nn.reshape(nn.matmul(step(found.layers, states, x), head.softmax), { head.softmax.shape[2] })
      local answer, log_p, spread, category = policies.choose(decision, logits, options.levels, rng)
      log_probability, entropy = log_probability + log_p, entropy + spread
      x = nn.slice(head.embedding, { axis = 1, start = category, stop = category })
      return answer
    end
  end)
  return arch, log_probability, entropy
end

return nas.declare("nas.strategies.lstm_controller", {
  doc = [[
A recurrent controller: an LSTM takes the decisions one after the other, each by a softmax, and is told by an embedding
what it took; REINFORCE with a moving average of the rewards as baseline trains it. The reward is the primary objective
(its negative where less is better). The paper's learning rate, 6e-4, is for its 12,800 trials.]],
  source = "Zoph & Le, ICLR 2017, sections 3.1 and 3.2",
  options = {
    { "hidden", "integer", min = 1, default = 35, doc = "units of each layer" },
    { "layers", "integer", min = 1, default = 2, doc = "LSTM cells, one above the other" },
    { "lr", "number", min = 0, default = 0.01, doc = "learning rate of Adam" },
    { "init", "number", min = 0, default = 0.08, doc = "parameters start uniform in ± this" },
    { "batch", "integer", min = 1, default = 4, doc = "architectures for each update (m)" },
    { "momentum", "number", min = 0, max = 1, default = 0.9, doc = "of the moving average of rewards" },
    { "entropy", "number", min = 0, default = 0.01, doc = "bonus for each unit of entropy, in units of the reward" },
    { "levels", "integer", min = 1, default = 8, doc = "parts of a real or long range, each with a logit" },
    { "reward", "function", optional = true, doc = "function(metrics) → number, more is better" },
  },
  returns = "fun(search: Search)",
}, function(options)
  return function(search)
    local heads, count = heads_of(search.space, options.levels)
    if count == 0 then return search:evaluate(search.space:random()) end
    local controller = nas.model(function(draw) return draw(parameters(heads, options)) end, { stream = "controller" })
    controller(function() end)
    local adam = nas.optim.adam(controller:parameters(), { lr = options.lr })
    local reward, baseline = policies.reward(search, options.reward), policies.baseline(options.momentum)
    while true do
      local archs, log_probabilities, entropies = {}, {}, {}
      for child = 1, options.batch do
        archs[child], log_probabilities[child], entropies[child] = controller(function(found)
          return write(search.space, search.rng, found, options)
        end)
      end
      local loss
      for child, trial in ipairs(search:map(archs)) do
        local value = reward(trial)
        if value then
          local term = -log_probabilities[child] * baseline(value) - entropies[child] * options.entropy
          loss = loss and loss + term or term
        end
      end
      if loss then
        adam:zero_grad()
        loss = loss / options.batch
        loss:backward()
        adam:step()
      end
    end
  end
end)
