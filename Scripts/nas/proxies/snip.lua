-- The zero-cost proxy "snip".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "snip",
  doc = [[
Σ |w · ∂L/∂w|, which is the effect on the loss of leaving out each weight. As a proxy it is not normalised over the
network.]],
  source = 'Lee et al., "SNIP: Single-Shot Network Pruning", ICLR 2019 (zero-cost-nas, measures/snip.py)',
  score = function(network, batch)
    local total = 0
    for _, weight in ipairs(network:probe({ batch = batch, wrt = "weights" }).weights) do
      total = total + nn.sum(nn.abs(weight.value * weight.gradient)):item()
    end
    return total
  end,
}
