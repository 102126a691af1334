-- The zero-cost proxy "synflow_bn".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "synflow_bn",
  doc = [[
Σ |w · ∂R/∂w| as synflow has it, but with batch norm left in, on the statistics of the one input: weaker, and kept to
be compared with.]],
  source = "Abdelfattah et al., ICLR 2021 (zero-cost-nas, measures/synflow.py, bn = True)",
  score = function(network)
    local total = 0
    local options = { batch = "ones", loss = "sum", weights = "absolute", wrt = "weights" }
    for _, weight in ipairs(network:probe(options).weights) do
      total = total + nn.sum(nn.abs(weight.value * weight.gradient)):item()
    end
    return total
  end,
}
