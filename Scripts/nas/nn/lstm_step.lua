-- One step of a long short-term memory from its input, with the weights of all gates in one array.
-- Hochreiter & Schmidhuber, Neural Computation 1997; Gers et al. 2000 (forget gate).

local core = require "nas.core"
local nn = core.nn

return core.declare("nas.nn.lstm_step", {
  doc = [[
One step of an LSTM from its input: `nn.lstm_cell` of the gates `nn.matmul(nn.concat(x, h), weight) + bias`, in one
operation where all are tensors. Returns h', c'.]],
  source = "Hochreiter & Schmidhuber 1997; Gers et al. 2000",
  context = "build or model",
  { "x", "any", doc = "the input, a Value or Tensor [N, inputs]" },
  { "h", "any", doc = "the output of the step before [N, hidden]" },
  { "c", "any", doc = "the cell's state [N, hidden]" },
  { "weight", "any", doc = "[inputs + hidden, 4 · hidden]: of the gates input, forget, cell, output" },
  { "bias", "any", doc = "[4 · hidden]" },
  returns = "Tensor, Tensor # h' and c', of the class of x",
}, function(x, h, c, weight, bias)
  local output, state = core.lstm_step(x, h, c, weight, bias)
  if output then return output, state end
  return nn.lstm_cell(nn.matmul(nn.concat(x, h), weight) + bias, c)
end)
