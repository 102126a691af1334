-- A wrong proxy: its score depends on how often it was called.

local nas = require "nas"
local calls = 0

return nas.proxy {
  name = "counts_calls",
  score = function(network)
    calls = calls + 1
    return network.params + calls
  end,
}
