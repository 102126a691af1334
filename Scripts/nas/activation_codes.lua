-- What the ReLUs of a network say about samples: on or off.

local nas = require "nas"

--- For each pair of samples, the number of ReLU units that are on for both or off for both. `look` says which batch.
local function agreement(network, look)
  local agreement = network:probe({
    batch = look.batch, size = look.size, loss = "sum", capture = { "relu", "relu6" }, agreement = true,
  }).agreement
  if agreement:at(1, 1) == 0 then
    nas.fail {
      message = "this proxy compares the activations of ReLUs",
      expected = "nn.relu or nn.relu6 in build",
      got = "none",
    }
  end
  return agreement
end

return { agreement = agreement }
