-- Multi-head self-attention.
-- Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.

local core = require "nas.core"
local nn = core.nn

return core.declare("nas.nn.attention", {
  doc = [[
Multi-head self-attention over the tokens of `[N, T, D]`: queries, keys and values by one linear layer, scaled products,
softmax, and a linear layer back. With `causal` a token sees itself and those before it.]],
  source = "Vaswani et al. 2017, section 3.2",
  context = "build or model",
  { "x", "any", doc = "a Value or Tensor [N, T, D]" },
  options = {
    { "heads", "integer", min = 1, default = 1, doc = "a divisor of D" },
    { "causal", "boolean", default = false, doc = "hide later tokens" },
    { "name", "string", default = "attention", doc = "the scope of its layers" },
  },
  returns = "Value|Tensor # of x's shape",
}, function(x, options)
  local width = x.shape[#x.shape]
  if width % options.heads ~= 0 then
    core.fail {
      message = "nn.attention: heads must divide the width",
      expected = ("a divisor of %d"):format(width),
      got = tostring(options.heads),
    }
  end
  return nn.scope(options.name, function()
    local function project(name) return nn.linear(x, width, { name = name }) end
    local mixed = nn.scaled_dot_product_attention(
      project "query", project "key", project "value", { heads = options.heads, causal = options.causal })
    return nn.linear(mixed, width, { name = "output" })
  end)
end)
