-- A value in parts along one axis.

local core = require "nas.core"
local nn = core.nn

--- The sizes of equal parts, or those of a list, which must fill the axis.
local function sizes_of(parts, extent)
  local sizes, total = {}, 0
  if math.type(parts) == "integer" then
    if parts < 1 or extent % parts ~= 0 then
      core.fail {
        message = "nn.split: the parts must be equal",
        expected = ("a divisor of %d"):format(extent),
        got = tostring(parts),
        hint = "Or give a list of their sizes.",
      }
    end
    for i = 1, parts do sizes[i] = extent // parts end
    return sizes
  end
  core.require_elements(parts, {
    message = "nn.split: wrong argument 2 ('parts')",
    expected = "how many equal parts, or a list of their sizes",
    hint = "nn.split(x, { 1, 2 }, { axis = 1 })",
  })
  for i, size in ipairs(parts) do
    if math.type(size) ~= "integer" or size < 1 then
      core.fail { message = "nn.split: wrong size", expected = "a whole number from 1", got = tostring(size) }
    end
    sizes[i], total = size, total + size
  end
  if total ~= extent then
    core.fail {
      message = "nn.split: the sizes don't fill the axis",
      expected = ("a sum of %d"):format(extent),
      got = tostring(total),
    }
  end
  return sizes
end

return core.declare("nas.nn.split", {
  doc = "The parts of a value along an axis, in order: `local q, k, v = nn.split(x, 3)`. nn.concat joins them again.",
  context = "build or model",
  { "x", "any", doc = "a Value or Tensor" },
  { "parts", "integer|table", doc = "how many equal parts, or a list of their sizes" },
  options = { { "axis", "integer", default = -1, doc = "from 1, or from -1 at the end; not the batch of a Value" } },
  returns = "Tensor, ... # the parts, of the class of x",
}, function(x, parts, options)
  local extent, axis = core.extent(x, options.axis, "nn.split")
  local values, start = {}, 1
  for i, size in ipairs(sizes_of(parts, extent)) do
    values[i] = nn.slice(x, { axis = axis, start = start, stop = start + size - 1 })
    start = start + size
  end
  return table.unpack(values)
end)
