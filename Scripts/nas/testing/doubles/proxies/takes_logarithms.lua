-- A wrong proxy: the logarithm of what can be 0.

local nas = require "nas"

return nas.proxy {
  name = "takes_logarithms",
  score = function(network, batch)
    local values = network:probe({ batch = batch, capture = "relu" }).activations
    return math.log(#values > 20 and 1 or 0) * network.params
  end,
}
