-- The zero-cost proxy "params".

local nas = require "nas"

return nas.proxy {
  name = "params",
  doc = [[
The number of trained parameters: the baseline that a proxy has to beat.]],
  score = function(network) return network.params end,
}
