-- `nas.proxy`: a score of a network that was not trained. Those of the library are the files of `nas/proxies`.

local core = require "nas.core"

core.register_class {
  name = "Proxy",
  object = "proxy",
  doc = "A score of a network that was not trained: what nas.proxy makes, and what nas.proxies has.",
  fields = {
    { "name", "string", doc = "the metric's name" },
    { "score", "fun(network: Network, ...: Batch): number", doc = "the score of a network on its batches" },
    { "direction", "string", doc = '"max" or "min": which scores promise better networks' },
    { "batches", "integer", doc = "how many batches `score` takes" },
    { "doc", "string", optional = true, doc = "what it measures" },
    { "source", "string", optional = true, doc = "the paper" },
  },
}

--- The score function of a proxy, behind a check of what it returns.
local function checked(name, score)
  return function(network, ...)
    local value = score(network, ...)
    if type(value) ~= "number" then
      core.fail {
        message = ("the proxy '%s' returned no score"):format(name),
        expected = "a number",
        got = core.show(value),
        hint = core.class_name(value) == "Tensor" and "Take the number of a tensor by :item()."
          or "End its `score` function with `return …`.",
      }
    end
    return value
  end
end

return core.declare("nas.proxy", {
  doc = [[
A zero-cost proxy: `score(network, batch, …)` returns a number. It may probe the network and draw others by
`network:fresh`, but must not train it. `batches` says how many batches it takes. Use it by itself,
`proxy.score(network, batch)`, or as a metric of trials by nas.evaluators.proxy.]],
  options = {
    { "name", "string", doc = "the metric's name" },
    { "score", "fun(network: Network, ...: Batch): number", doc = "function(network, batch, …) → number" },
    { "direction", "string", one_of = { "max", "min" }, default = "max", doc = "which scores promise better networks" },
    { "batches", "integer", min = 1, default = 1, doc = "how many batches `score` takes" },
    { "doc", "string", optional = true, doc = "what it measures, for `nasrun api`" },
    { "source", "string", optional = true, doc = "the paper" },
  },
  returns = "Proxy",
  example = [[
local weight_norm = nas.proxy {
  name = "weight_norm",
  score = function(network, batch)
    local total = 0
    for _, weight in ipairs(network:probe({ batch = batch, wrt = "weights" }).weights) do
      total = total + nas.nn.sum(weight.value * weight.value):item()
    end
    return total
  end,
}]],
}, function(options)
  options.score = checked(options.name, options.score)
  return options
end)
