-- A wrong space: its networks overflow.

local nas = require "nas"
local nn = nas.nn

return require "nas.testing.doubles.spaces.base" ({
  build = function(arch, x, task)
    x = nn.conv2d(x, arch.width, { kernel = arch.op == "conv3" and 3 or 1 })
    for _ = 1, 140 do x = nn.add(x, x) end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}, { name = "explodes" })
