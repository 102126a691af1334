-- A wrong space: build counts its calls, and each third network is another one.

local nas = require "nas"
local nn = nas.nn
local calls = 0

return require "nas.testing.doubles.spaces.base" ({
  build = function(arch, x, task)
    calls = calls + 1
    x = nn.conv2d(x, calls % 3 == 0 and arch.width + 1 or arch.width, { kernel = arch.op == "conv3" and 3 or 1 })
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}, { name = "counts_builds" })
