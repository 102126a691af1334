-- Random search: the baseline that any strategy has to beat.
-- Li & Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019.

local nas = require "nas"

return nas.declare("nas.strategies.random", {
  doc = "Uniform random search, with replacement; a repeated architecture is charged but not trained again.",
  options = {},
}, function()
  return function(search)
    while true do search:evaluate(search.space:random()) end
  end
end)
