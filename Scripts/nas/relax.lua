-- `nas.relax`: a space as one differentiable network.

local core = require "nas.core"

return core.declare("nas.relax", {
  doc = [[
A space as one network in which every decision is a mixture of its branches, with mixing weights that gradients train.
`mix(decision, branches, x)` gets the decision (`path`, `options`, `picks`, how many nn.pick takes, and `alpha`, a Value
with one weight for each option) and a function for each option, and returns the mixture; by default the sum of all,
each times its softmax. GDAS, FairDARTS and the like differ by their `mix`. Batch norm takes the batch's statistics. A
relaxed network is recomputed when a run is resumed.]],
  source = "Liu et al. 2019 (DARTS), section 2.2",
  { "space", "Space", doc = "of decisions that nn.choice and nn.pick take" },
  options = {
    { "data", "Data", doc = "gives the input's shape and the classes" },
    {
      "mix", "function", optional = true,
      doc = "function(decision, branches, x) → Value; default: the sum of the branches, each times its softmax",
    },
    { "stream", "string", default = "relaxed", doc = "the name of the random streams" },
  },
  returns = "Relaxed",
}, function(space, options)
  return core.relax(space, options.data, options.mix or core.softmax_mixture, options.stream)
end)
