-- The greatest elements along one axis.

local core = require "nas.core"
local nn = core.nn

return core.declare("nas.nn.top_k", {
  doc = [[
The `k` greatest elements along an axis, the greatest first, and their positions from 1. Of equal elements the first
comes first; NaN comes last. Gradients go to the elements that were taken.]],
  context = "build or model",
  { "x", "any", doc = "a Value or Tensor" },
  { "k", "integer", min = 1, doc = "how many" },
  options = {
    { "axis", "integer", default = -1, doc = "from 1, or from -1 at the end; not the batch of a Value" },
    { "smallest", "boolean", default = false, doc = "take the least instead, the least first" },
  },
  returns = "Tensor, Tensor # values and positions, of the class of x",
}, function(x, k, options)
  local extent, axis = core.extent(x, options.axis, "nn.top_k")
  if k > extent then
    core.fail { message = "nn.top_k: k is too large", expected = ("at most %d"):format(extent), got = tostring(k) }
  end
  local order = nn.argsort(x, { axis = axis, descending = not options.smallest })
  local positions = nn.slice(order, { axis = axis, start = 1, stop = k })
  return nn.gather(x, positions, { axis = axis }), positions
end)
