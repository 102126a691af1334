-- A long short-term memory cell, with PyTorch's gates: input, forget, cell, output.
-- Hochreiter & Schmidhuber, Neural Computation 1997; Gers et al. 2000 (forget gate).

local core = require "nas.core"
local nn = core.nn

return core.declare("nas.nn.lstm_cell", {
  doc = [[
One step of an LSTM. `gates` are the sums that the four gates act on, `linear(x) + linear(h)`, in the order input,
forget, cell, output; `c' = f · c + i · g`, `h' = o · tanh(c')`. The linear layers are the caller's, so that every step
uses the same ones: `nas.parameter`s, or one linear layer of the joined x and h. Returns h', c'.]],
  source = "Hochreiter & Schmidhuber 1997; Gers et al. 2000",
  context = "build or model",
  { "gates", "any", doc = "a Value or Tensor [N, 4 · hidden]" },
  { "c", "any", doc = "the cell's state [N, hidden]" },
  returns = "Tensor, Tensor # h' and c', of the class of the gates",
}, function(gates, c)
  local hidden = gates.shape[#gates.shape] // 4
  local function gate(index)
    return nn.slice(gates, { axis = -1, start = (index - 1) * hidden + 1, stop = index * hidden })
  end
  local i, f, g, o = nn.sigmoid(gate(1)), nn.sigmoid(gate(2)), nn.tanh(gate(3)), nn.sigmoid(gate(4))
  local state = nn.add(nn.mul(f, c), nn.mul(i, g))
  return nn.mul(o, nn.tanh(state)), state
end)
