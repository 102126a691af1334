-- A strategy that is asked and told, made anew for each search.

local nas = require "nas"

return nas.declare("asked", {
  doc = "A hill climber that starts anew now and then.", options = {}, returns = "a table: ask, tell",
}, function()
  local here
  return {
    ask = function(_, search)
      return here and search.rng:uniform() < 0.95 and search.space:mutate(here.arch) or search.space:random()
    end,
    tell = function(_, trial, search)
      if not here or search:better(trial, here) then here = trial end
    end,
  }
end)
