-- The zero-cost proxy "l2_norm".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "l2_norm",
  doc = [[
The sum over layers of ‖w‖₂: weights of convolutions and linear layers; no gradient, no data.]],
  source = "Abdelfattah et al., ICLR 2021 (zero-cost-nas, measures/l2_norm.py)",
  score = function(network)
    local total = 0
    for _, weight in ipairs(network:probe({ batch = "ones", loss = "sum", bn = "running", wrt = "weights" }).weights) do
      total = total + nn.sum(weight.value * weight.value):item() ^ 0.5
    end
    return total
  end,
}
