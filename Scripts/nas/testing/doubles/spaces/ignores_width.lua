-- A wrong space: one of the decisions changes nothing.

local nas = require "nas"
local nn = nas.nn

return require "nas.testing.doubles.spaces.base" ({
  build = function(arch, x, task)
    x = nn.choice(arch.op, {
      conv3 = function() return nn.conv2d(x, 4, { kernel = 3, name = "conv3" }) end,
      conv1 = function() return nn.conv2d(x, 4, { kernel = 1, name = "conv1" }) end,
      skip = function() return nn.conv2d(x, 4, { kernel = 1, stride = 2, name = "skip" }) end,
    })
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}, { name = "ignores_width" })
