-- Multiply-accumulates of one forward pass, convolutions and linear layers alone, as NAS-Bench-201 counts its "FLOPs".
-- NAS-Bench-Suite-Zero also counts batch norms, so its numbers are higher.

local nas = require "nas"

return nas.proxy {
  name = "flops",
  score = function(network) return network.macs end,
}
