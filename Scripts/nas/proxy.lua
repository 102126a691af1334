-- `nas.proxy`: a score of a network that was not trained. Those of the library are the files of `nas/proxies`.

local core = require "nas.core"

return core.declare("nas.proxy", {
  doc = [[
A zero-cost proxy: `score(network, batch, …)` returns a number. It may probe the network and draw others by
`network:fresh`, but must not train it. `batches` says how many batches it takes. Use it by itself,
`proxy.score(network, batch)`, or as a metric of trials by nas.evaluators.proxy.]],
  options = {
    { "name", "string", doc = "the metric's name" },
    { "score", "function", doc = "function(network, batch, …) → number" },
    { "direction", "string", one_of = { "max", "min" }, default = "max", doc = "which scores promise better networks" },
    { "batches", "integer", min = 1, default = 1 },
  },
  returns = "a table: name, score, direction, batches",
}, function(options) return options end)
