-- A wrong proxy: it returns a tensor and no number.

local nas = require "nas"

return nas.proxy {
  name = "returns_a_tensor",
  score = function(network, batch)
    return nas.nn.sum(network:probe({ batch = batch, wrt = "weights" }).weights[1].gradient)
  end,
}
