-- A wrong strategy, asked and told: it takes each result for that of the architecture that it named last, which is
-- right with a window of 1 only.

local nas = require "nas"

return nas.declare("nas.testing.doubles.strategies.credits_the_last", {
  doc = "A hill climber that mixes up results when several trials are in flight.",
  options = {},
  returns = "a table: ask, tell",
}, function()
  local last, here, best
  return {
    ask = function(_, search)
      last = here and search.space:mutate(here) or search.space:random()
      return last
    end,
    tell = function(_, trial, search)
      if not trial.failed and (not best or search:better(trial, best)) then here, best = last, trial end
    end,
  }
end)
