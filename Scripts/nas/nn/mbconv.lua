-- `nn.mbconv`: the inverted residual block of MobileNetV2 and V3.

local core = require "nas.core"
local nn = core.nn

--- Squeeze-and-excitation (Hu, Shen & Sun 2018): channels times a gate that is computed from their means.
local function squeeze_excite(x, width)
  return nn.scope("squeeze_excite", function()
    local inner = nn.relu(nn.linear(nn.global_avg_pool(x), width, { name = "reduce" }))
    return nn.channel_gate(x, nn.sigmoid(nn.linear(inner, x.channels, { name = "expand" })))
  end)
end

local function unit(name, x, channels, options, activation)
  return nn.scope(name, function()
    options.name = "conv"
    x = nn.batch_norm(nn.conv2d(x, channels, options), { name = "norm" })
    return activation and nn[activation](x) or x
  end)
end

local function block(x, channels, options)
  local inner, y = math.floor(x.channels * options.expand + 0.5), x
  if options.expand ~= 1 then y = unit("expand", y, inner, { kernel = 1 }, options.activation) end
  local depthwise = { kernel = options.kernel, stride = options.stride, groups = inner }
  y = unit("depthwise", y, inner, depthwise, options.activation)
  if options.squeeze_excite > 0 then
    y = squeeze_excite(y, math.max(1, math.floor(inner * options.squeeze_excite + 0.5)))
  end
  y = unit("project", y, channels, { kernel = 1 })
  if options.stride == 1 and channels == x.channels then return nn.add(x, y) end
  return y
end

return core.declare("nas.nn.mbconv", {
  doc = [[
Inverted residual block (Sandler et al. 2018): a 1×1 convolution to `expand` times the channels, a depthwise convolution,
a 1×1 convolution to `channels`, each with batch normalisation, the first two with the activation; the input is added
where shapes agree. Parameters are in the scopes `expand`, `depthwise`, `squeeze_excite` and `project`: give each block a
`name`, the scope around these, or a scope of its own with nn.scope.]],
  context = "build or model",
  { "x", "any", doc = "a Value or Tensor [N, H, W, C]" },
  { "channels", "integer", doc = "output channels" },
  options = {
    { "kernel", "integer", default = 3, doc = "size of the depthwise kernel" },
    { "expand", "number", default = 6, doc = "inner channels per input channel; without expansion at 1" },
    { "stride", "integer", default = 1, doc = "step of the depthwise convolution" },
    { "squeeze_excite", "number", default = 0, doc = "width of the gate per inner channel; 0 for none" },
    { "activation", "string", default = "relu6", doc = "an activation of nas.nn" },
    { "name", "string", optional = true, doc = "a scope for the block's parameters; none if left out" },
  },
  returns = "Value|Tensor",
}, function(x, channels, options)
  if options.name then return nn.scope(options.name, function() return block(x, channels, options) end) end
  return block(x, channels, options)
end)
