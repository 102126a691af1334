-- `nas.relax`: a space as one differentiable network.

local core = require "nas.core"

--- What `net.alpha` is: the mixing weights by the paths of their decisions, for reading.
function core.mixing_weights_view(weights)
  return setmetatable({}, {
    __index = function(_, path)
      local known = {}
      for name in pairs(weights) do known[#known + 1] = name end
      if weights[path] then return weights[path] end
      core.fail {
        message = ("net.alpha has no decision '%s'"):format(tostring(path)),
        expected = "one of " .. table.concat(known, ", "),
        hint = core.suggest(tostring(path), known),
      }
    end,
    __newindex = function(_, path)
      core.fail {
        message = "the mixing weights can't be replaced",
        hint = ('Change their numbers: net.alpha["%s"]:set { … }.'):format(tostring(path)),
      }
    end,
    __pairs = function() return pairs(weights) end,
    __name = "MixingWeights",
  })
end

return core.declare("nas.relax", {
  doc = [[
A space as one network in which every decision is a mixture of its branches, with mixing weights that gradients train.
`mix(decision, branches, x)` gets the decision (`path`, `options`, `picks`, how many nn.pick takes, and `alpha`, a Value
with one weight for each option) and a function for each option, and returns the mixture; by default the sum of all,
each times its softmax. GDAS, FairDARTS and the like differ by their `mix`. Batch norm takes the batch's statistics. It is
computed again when a run is resumed, but for steps of nas.checkpoint.]],
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
