-- The zero-cost proxy "synflow".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "synflow",
  doc = [[
log Σ |w · ∂R/∂w|, R the sum of the outputs for an input of ones, every parameter by its absolute value, batch norm
left out. The sum can reach 1e50, so its logarithm is the score, as in NASLib; −inf where no path leads to the output.]],
  source = [[
Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow", NeurIPS 2020]],
  score = function(network)
    local weights = network:probe({
      batch = "ones", loss = "sum", bn = "bypass", weights = "absolute", scaled = true, wrt = "weights",
    }).weights
    local highest = -math.huge
    for _, weight in ipairs(weights) do highest = math.max(highest, weight.gradient_exponent) end
    local total = 0
    for _, weight in ipairs(weights) do
      total = total + nn.sum(weight.value * weight.gradient):item() * 2.0 ^ (weight.gradient_exponent - highest)
    end
    return math.log(total) + highest * math.log(2)
  end,
}
