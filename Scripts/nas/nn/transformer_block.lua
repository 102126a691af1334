-- A Transformer block with normalisation first.
-- Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020 (pre-LN).

local core = require "nas.core"
local nn = core.nn

return core.declare("nas.nn.transformer_block", {
  doc = "Attention and a two-layer perceptron, each after a layer norm and beside a shortcut, on `[N, T, D]`.",
  source = "Xiong et al. 2020, figure 1b",
  context = "build or model",
  { "x", "any", doc = "a Value or Tensor [N, T, D]" },
  options = {
    { "heads", "integer", min = 1, default = 1, doc = "a divisor of D" },
    { "ratio", "number", min = 0, default = 4, doc = "width of the perceptron over D" },
    { "causal", "boolean", default = false, doc = "hide later tokens" },
    { "name", "string", default = "block", doc = "the scope of its layers" },
  },
  returns = "Value|Tensor # of x's shape",
}, function(x, options)
  local width = x.shape[#x.shape]
  return nn.scope(options.name, function()
    local attended = nn.attention(nn.layer_norm(x), { heads = options.heads, causal = options.causal })
    x = nn.add(x, attended)
    local hidden = nn.gelu(nn.linear(nn.layer_norm(x), math.floor(width * options.ratio), { name = "up" }))
    return nn.add(x, nn.linear(hidden, width, { name = "down" }))
  end)
end)
