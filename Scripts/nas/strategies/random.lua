-- Random search: the baseline that any strategy has to beat.
-- Li & Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.

local nas = require "nas"

return nas.declare("nas.strategies.random", {
  doc = "Uniform random search, with replacement; a repeated architecture is charged but not trained again.",
  source = "Li & Talwalkar, UAI 2019",
  options = {},
  returns = "fun(search: Search)",
}, function()
  return function(search)
    while true do search:evaluate(search.space:random()) end
  end
end)
