-- Blocks that nas.nn composes: their parameters against counts from the papers' layers.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

--- Parameters of what `body` puts between 16 channels and a classifier, without the classifier.
local function parameters(body)
  local channels
  local space = nas.space {
    unused = nas.oneof { 1 },
    build = function(_, x, task)
      x = nn.conv2d(x, 16, { kernel = 1 })
      x = nn.scope("block", function() return body(x) end)
      channels = x.channels
      return nn.linear(nn.global_avg_pool(x), task.classes)
    end,
  }
  local cost = space:random():cost { input = { 16, 16, 3 }, classes = 10 }
  return cost.params - 3 * 16 - channels * 10 - 10
end

-- MobileNetV2's first block with expansion: 5,136 parameters (torchvision's `features.2`).
expect.equal(parameters(function(x) return nn.mbconv(x, 24, { stride = 2 }) end), 5136)
-- Its first block, without expansion: 16 to 16 channels.
expect.equal(parameters(function(x) return nn.mbconv(x, 16, { expand = 1 }) end), 9 * 16 + 32 + 256 + 32)
-- A gate of a quarter of the 96 inner channels adds two linear layers.
local gated = parameters(function(x) return nn.mbconv(x, 24, { squeeze_excite = 0.25, activation = "hard_swish" }) end)
expect.equal(gated, 5136 + 96 * 24 + 24 + 24 * 96 + 96)
expect.raises("squeeze_excit", function() parameters(function(x) return nn.mbconv(x, 24, { squeeze_excit = 1 }) end) end)
