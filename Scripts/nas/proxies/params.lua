-- The number of trained parameters: the baseline that a proxy has to beat.

local nas = require "nas"

return nas.proxy {
  name = "params",
  score = function(network) return network.params end,
}
