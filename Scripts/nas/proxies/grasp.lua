-- The zero-cost proxy "grasp".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "grasp",
  doc = [[
Σ −w · (H g), H the Hessian of the loss by the weights and g its gradient. Temperature 1, one iteration, larger is
better.]],
  source = [[
Wang et al., "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020 (zero-cost-nas,
measures/grasp.py)]],
  score = function(network, batch)
    local total = 0
    for _, weight in ipairs(network:probe({ batch = batch, wrt = "weights", hessian = "gradient" }).weights) do
      total = total - nn.sum(weight.value * weight.product):item()
    end
    return total
  end,
}
