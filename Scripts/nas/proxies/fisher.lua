-- The zero-cost proxy "fisher".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "fisher",
  doc = [[
Of each channel of a convolution or linear layer: half the mean over the batch of (Σ over places of a · ∂L/∂a)²,
counted once for each weight of the channel.]],
  source = [[
Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018; Turner et al., "BlockSwap",
ICLR 2020 (zero-cost-nas, measures/fisher.py)]],
  score = function(network, batch)
    local probe = network:probe { batch = batch, capture = { "conv2d", "linear" }, wrt = { "activations", "weights" } }
    local weights_per_channel = {}
    for _, weight in ipairs(probe.weights) do
      local shape, count = weight.value.shape, 1
      for axis = 1, #shape - 1 do count = count * shape[axis] end
      weights_per_channel[weight.path] = count
    end
    local total = 0
    for _, layer in ipairs(probe.activations) do
      local effect = layer.value * layer.gradient
      if #effect.shape == 4 then effect = nn.sum(effect, { axes = { 2, 3 } }) end
      local fisher = 0.5 * nn.sum(effect * effect):item() / #effect
      total = total + fisher * weights_per_channel[layer.path .. "/weight"]
    end
    return total
  end,
}
