-- A wrong proxy: it prefers small networks. (A note only: who knows?)

local nas = require "nas"

return nas.proxy { name = "wrong_direction", direction = "min", score = function(network) return network.params end }
