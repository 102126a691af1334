-- What the ReLUs of a network say about samples: on or off.

local nas = require "nas"
local nn = nas.nn

--- For each pair of samples, the number of ReLU units that are on for both or off for both. `look` says which batch.
local function agreement(network, look)
  local probe = network:probe {
    batch = look.batch, size = look.size, loss = "sum", capture = { "relu", "relu6" },
  }
  if #probe.activations == 0 then
    nas.fail {
      message = "this proxy compares the activations of ReLUs",
      expected = "nn.relu or nn.relu6 in build",
      got = "none",
    }
  end
  local total
  for _, layer in ipairs(probe.activations) do
    local on = nn.sign(layer.value)
    local same = nas.linalg.gram { on } + nas.linalg.gram { 1 - on }
    total = total and total + same or same
  end
  return total
end

return { agreement = agreement }
