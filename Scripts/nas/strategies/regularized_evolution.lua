-- Regularised (ageing) evolution.
-- Real, Aggarwal, Huang, Le, "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, algorithm 1;
-- tournament with replacement and single-edge mutation as in NATS-Bench (exps/NATS-algos/regularized_ea.py).

local nas = require "nas"

return nas.declare("nas.strategies.regularized_evolution", {
  doc = [[
Regularised evolution: `population` architectures, random ones or those of `start`; then, each time, the best of `sample` members drawn with
replacement is mutated in one decision, the child is added and the oldest member is removed.]],
  source = "Real et al., AAAI 2019, algorithm 1",
  options = {
    { "population", "integer", min = 1, default = 10, doc = "members alive (P)" },
    { "sample", "integer", min = 1, default = 3, doc = "tournament size (S)" },
    {
      "mutate", "fun(arch: Architecture, rng: Stream): Architecture", optional = true,
      doc = "default: one decision changed, by the space's rule",
    },
  },
  returns = "fun(search: Search)",
}, function(options)
  return function(search)
    local rng = search.rng
    local mutate = options.mutate or function(arch) return search.space:mutate(arch) end

    local population = {}
    for index, arch in ipairs(search:initial(options.population)) do population[index] = search:evaluate(arch) end

    while true do
      local parent
      for _ = 1, options.sample do
        local candidate = population[rng:integer(1, #population)]
        if parent == nil or search:better(candidate, parent) then parent = candidate end
      end
      population[#population + 1] = search:evaluate(mutate(parent.arch, rng))
      table.remove(population, 1)
    end
  end
end)
