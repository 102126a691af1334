-- A wrong space for shared weights: whether a layer is there shifts the automatic names of those after it.

local nas = require "nas"
local nn = nas.nn

return require "nas.testing.doubles.spaces.base" ({
  build = function(arch, x, task)
    x = nn.conv2d(x, arch.width, { kernel = 3 })
    if arch.op == "conv3" then x = nn.conv2d(x, arch.width, { kernel = 3 }) end
    if arch.op ~= "skip" then x = nn.conv2d(x, 8, { kernel = 1 }) end
    x = nn.conv2d(x, 8, { kernel = 3 })
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}, { name = "shifts_names" })
