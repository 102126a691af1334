-- A long short-term memory cell, with PyTorch's gates: input, forget, cell, output.
-- Hochreiter & Schmidhuber, Neural Computation 1997; Gers et al. 2000 (forget gate).

local core = require "nas.core"
local nn = core.nn

local function same_shape(a, b)
  if #a ~= #b then return false end
  for i, extent in ipairs(a) do
    if extent ~= b[i] then return false end
  end
  return true
end

return core.declare("nas.nn.lstm_cell", {
  doc = [[
One step of an LSTM. `gates` are the sums that the four gates act on, `linear(x) + linear(h)`, in the order input,
forget, cell, output; `c' = f · c + i · g`, `h' = o · tanh(c')`. The linear layers are the caller's, so that every step
uses the same ones: `nn.parameter`s, or one linear layer of the joined x and h. Returns h', c'.]],
  source = "Hochreiter & Schmidhuber 1997; Gers et al. 2000",
  context = "build or model",
  { "gates", "any", doc = "a Value or Tensor [N, 4 · hidden]" },
  { "c", "any", doc = "the cell's state [N, hidden]" },
  returns = "Tensor, Tensor # h' and c', of the class of the gates",
}, function(gates, c)
  local output, state_after = core.lstm_cell(gates, c)
  if output then return output, state_after end
  local hidden = c.shape[#c.shape]
  local shape = table.move(c.shape, 1, #c.shape, 1, {})
  shape[#shape] = 4 * hidden
  if not same_shape(gates.shape, shape) then
    core.fail {
      message = "nn.lstm_cell: the gates don't fit the cell's state",
      expected = ("gates [%s] for c [%s]"):format(table.concat(shape, ", "), table.concat(c.shape, ", ")),
      got = ("gates [%s]"):format(table.concat(gates.shape, ", ")),
      hint = "The last axis of the gates has four numbers for each of c.",
    }
  end
  local function gate(index)
    return nn.slice(gates, { axis = -1, start = (index - 1) * hidden + 1, stop = index * hidden })
  end
  local i, f, g, o = nn.sigmoid(gate(1)), nn.sigmoid(gate(2)), nn.tanh(gate(3)), nn.sigmoid(gate(4))
  local state = nn.add(nn.mul(f, c), nn.mul(i, g))
  return nn.mul(o, nn.tanh(state)), state
end)
