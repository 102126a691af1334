-- Multi-head self-attention.
-- Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.

local core = require "nas.core"
local nn = core.nn

--- Scores with those of later tokens far below all others, for softmax to make them nothing.
local function hide_later(scores, length)
  local rows = {}
  for query = 1, length do
    rows[query] = {}
    for key = 1, length do rows[query][key] = key > query and -1e9 or 0 end
  end
  return nn.add(scores, core.public.tensor(rows))
end

--- `[N, T, D]` as `[N, heads, T, D / heads]`.
local function split_heads(x, length, heads, size)
  return nn.transpose(nn.reshape(x, { 0, length, heads, size }), { 1, 3, 2, 4 })
end

return core.declare("nas.nn.attention", {
  doc = [[
Multi-head self-attention over the tokens of `[N, T, D]`: queries, keys and values by one linear layer, scaled products,
softmax, and a linear layer back. With `causal` a token sees itself and those before it (on Tensors only).]],
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
  local length, width = x.shape[#x.shape - 1], x.shape[#x.shape]
  if width % options.heads ~= 0 then
    core.fail {
      message = "nn.attention: heads must divide the width",
      expected = ("a divisor of %d"):format(width),
      got = tostring(options.heads),
    }
  end
  local heads, size = options.heads, width // options.heads
  return nn.scope(options.name, function()
    local function project(name) return split_heads(nn.linear(x, width, { name = name }), length, heads, size) end
    local query, key, value = project "query", project "key", project "value"
    local scores = nn.scale(nn.matmul(query, key, { transpose_b = true }), { multiply = size ^ -0.5 })
    if options.causal then scores = hide_later(scores, length) end
    local mixed = nn.matmul(nn.softmax(scores), value)
    local joined = nn.reshape(nn.transpose(mixed, { 1, 3, 2, 4 }), { 0, length, width })
    return nn.linear(joined, width, { name = "output" })
  end)
end)
