-- The zero-cost proxy "flops".

local nas = require "nas"

return nas.proxy {
  name = "flops",
  doc = [[
Multiply-accumulates of one forward pass, convolutions and linear layers alone, as NAS-Bench-201 counts its "FLOPs".
NAS-Bench-Suite-Zero also counts batch norms, so its numbers are higher.]],
  source = "Dong & Yang, ICLR 2020 (NAS-Bench-201)",
  score = function(network) return network.macs end,
}
