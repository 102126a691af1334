-- A wrong space: build does not know one of the options.

local nas = require "nas"
local nn = nas.nn
local kernels = { conv3 = { size = 3 }, conv1 = { size = 1 } }

return require "nas.testing.doubles.spaces.base" ({
  build = function(arch, x, task)
    x = nn.conv2d(x, arch.width, { kernel = kernels[arch.op].size })
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}, { name = "breaks_on_an_option" })
