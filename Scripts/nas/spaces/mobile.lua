-- Inverted bottlenecks: the space of mobile networks.
-- Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", CVPR 2019; layers as in MobileNetV2
-- (Sandler et al., CVPR 2018); depth, kernel and width of each stage as in Once-for-All (Cai et al., ICLR 2020).

local nas = require "nas"
local nn = nas.nn

--- A number of channels times a factor, as a multiple of 8 that takes away at most a tenth (Sandler et al.'s own code).
local function scaled(channels, factor)
  local wanted = channels * factor
  local rounded = math.max(8, (wanted + 4) // 8 * 8)
  if rounded < 0.9 * wanted then rounded = rounded + 8 end
  return math.tointeger(rounded)
end

--- The network: a convolution, stages of inverted bottlenecks, a 1×1 convolution, mean over the image, classifier.
local function network(arch, x, task, options)
  x = nn.scope("stem", function()
    local stem = { kernel = 3, stride = options.stem_stride }
    return nn.relu6(nn.batch_norm(nn.conv2d(x, scaled(options.stem, arch.width), stem)))
  end)
  for index, stage in ipairs(arch.stages) do
    local channels = scaled(options.channels[index], arch.width)
    for number, block in ipairs(stage) do
      x = nn.scope(("stage%d_block%d"):format(index, number), function()
        return nn.mbconv(x, channels, {
          kernel = block.kernel, expand = block.expand, squeeze_excite = block.squeeze_excite,
          stride = number == 1 and options.strides[index] or 1,
        })
      end)
    end
  end
  return nn.scope("head", function()
    local head = nn.conv2d(x, scaled(options.head, math.max(1, arch.width)), { kernel = 1 })
    return nn.linear(nn.global_avg_pool(nn.relu6(nn.batch_norm(head))), task.classes)
  end)
end

--- A decision, unless there is nothing to decide.
local function either(name, values)
  if #values == 0 then
    nas.fail {
      message = ("nas.spaces.mobile: no values for '%s'"):format(name),
      expected = ("such as %s = { 3, 5 }"):format(name),
      got = "{}",
    }
  end
  return #values == 1 and values[1] or nas.oneof(values)
end

--- The decisions of a stage: how many blocks, and of each its kernel, expansion and gate.
local function stage(options, most)
  local block = {
    kernel = either("kernels", options.kernels),
    expand = either("expansions", options.expansions),
    squeeze_excite = either("squeeze_excite", options.squeeze_excite),
  }
  return nas.list(most > 1 and nas.int(1, most) or 1, block)
end

local function check_stages(options)
  local count = #options.channels
  if count == 0 or #options.strides ~= count or #options.depths ~= count then
    nas.fail {
      message = "nas.spaces.mobile: wrong stages",
      expected = "channels, strides and depths of the same length, at least 1",
      got = ("%d, %d and %d"):format(count, #options.strides, #options.depths),
    }
  end
end

return nas.declare("nas.spaces.mobile", {
  doc = [[
Inverted bottlenecks in stages: for each block the kernel, the expansion and a squeeze-and-excitation gate, for each
stage the number of blocks, for the whole network the width and the size of the images. Under shared weights all of them
can be searched (smaller layers are parts of larger ones, every combination is a network of its own); there is nothing
in the space that nas.relax could mix.]],
  source = "Tan et al., CVPR 2019, section 4; Sandler et al., CVPR 2018; Cai et al., ICLR 2020, section 3",
  options = {
    { "channels", "table", default = { 16, 24, 40 }, doc = "of each stage, at width 1" },
    { "strides", "table", default = { 1, 2, 2 }, doc = "of each stage's first block" },
    { "depths", "table", default = { 2, 3, 3 }, doc = "blocks of each stage at most" },
    { "kernels", "table", default = { 3, 5, 7 }, doc = "sizes of the depthwise kernels" },
    { "expansions", "table", default = { 3, 4, 6 }, doc = "inner channels per input channel" },
    { "squeeze_excite", "table", default = { 0, 0.25 }, doc = "width of the gate per inner channel; 0 is none" },
    { "widths", "table", default = { 0.5, 0.75, 1 }, doc = "factors of all channels, which stay multiples of 8" },
    { "resolutions", "table", default = { 0.75, 1 }, doc = "sizes of the images, in parts of the data's own" },
    { "stem", "integer", min = 1, default = 16, doc = "channels of the first convolution" },
    { "stem_stride", "integer", min = 1, default = 1, doc = "of the first convolution" },
    { "head", "integer", min = 1, default = 128, doc = "channels of the last convolution" },
  },
  returns = "Space",
}, function(options)
  check_stages(options)
  local stages = {}
  for index, most in ipairs(options.depths) do stages[index] = stage(options, most) end
  local settings = {
    channels = options.channels, strides = options.strides, stem = options.stem, stem_stride = options.stem_stride,
    head = options.head,
  }
  return nas.space({
    width = either("widths", options.widths),
    resolution = either("resolutions", options.resolutions),
    stages = stages,
    input = function(arch, task)
      local height, width = task.input[1] * arch.resolution, task.input[2] * arch.resolution
      return { math.max(1, math.floor(height + 0.5)), math.max(1, math.floor(width + 0.5)) }
    end,
    build = function(arch, x, task) return network(arch, x, task, settings) end,
  }, { name = "mobile" })
end)
