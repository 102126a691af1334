-- The zero-cost proxy "plain".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "plain",
  doc = [[
Σ w · ∂L/∂w with its sign: weights of convolutions and linear layers, cross-entropy, statistics of the batch.]],
  source = [[
Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021 (zero-cost-nas, measures/plain.py)]],
  score = function(network, batch)
    local total = 0
    for _, weight in ipairs(network:probe({ batch = batch, wrt = "weights" }).weights) do
      total = total + nn.sum(weight.value * weight.gradient):item()
    end
    return total
  end,
}
