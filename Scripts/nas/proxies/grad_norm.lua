-- The zero-cost proxy "grad_norm".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "grad_norm",
  doc = [[
The sum over layers of ‖∂L/∂w‖₂: weights of convolutions and linear layers, cross-entropy, statistics of the batch.]],
  source = "Abdelfattah et al., ICLR 2021 (zero-cost-nas, measures/grad_norm.py)",
  score = function(network, batch)
    local total = 0
    for _, weight in ipairs(network:probe({ batch = batch, wrt = "weights" }).weights) do
      total = total + nn.sum(weight.gradient * weight.gradient):item() ^ 0.5
    end
    return total
  end,
}
