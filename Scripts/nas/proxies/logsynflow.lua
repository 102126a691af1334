-- The zero-cost proxy "logsynflow".

local nas = require "nas"
local nn = nas.nn

return nas.proxy {
  name = "logsynflow",
  doc = [[
Σ |w| · log(1 + |∂R/∂w|): synflow with its gradients damped, so that no single layer decides. Batch norm left out, as
for synflow.]],
  source = 'Cavagnero et al., "FreeREA: Training-Free Evolution-Based Architecture Search", WACV 2023',
  score = function(network)
    local total = 0
    local weights = network:probe({
      batch = "ones", loss = "sum", bn = "bypass", weights = "absolute", scaled = true, wrt = "weights",
    }).weights
    for _, weight in ipairs(weights) do
      -- The gradient is g · 2^e; log(1 + g · 2^e) = log(2^−e + g) + e · log 2 doesn't overflow.
      local e = weight.gradient_exponent
      local damped = nn.log(weight.gradient + 2.0 ^ -e) + e * math.log(2)
      total = total + nn.sum(weight.value * nn.maximum(damped, damped * 0)):item()
    end
    return total
  end,
}
