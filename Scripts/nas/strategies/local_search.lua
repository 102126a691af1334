-- Local search: moves to better neighbours until there are none, then starts anew.
-- White, Nolen & Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021, algorithm 1
-- (best improvement); "query until lower" (first improvement) as in section 6 and naszilla's local_search.

local nas = require "nas"

--- Where to begin: what the search was given at first, then anywhere.
local function start_of(search, is_first, count)
  if is_first then return search:initial(count) end
  local archs = {}
  for index = 1, count do archs[index] = search.space:random() end
  return archs
end

--- The best of some trials.
local function best_of(search, trials)
  local best = trials[1]
  for _, trial in ipairs(trials) do
    if search:better(trial, best) then best = trial end
  end
  return best
end

--- The neighbour to move to; nil at a local optimum. The best of all, or the first better one in a random order.
local function step(search, here, improvement)
  if improvement == "best" then
    local best = best_of(search, search:map(search.space:neighbors(here.arch)))
    return best and search:better(best, here) and best or nil
  end
  local neighbors = {}
  for arch in search.space:neighbors(here.arch) do neighbors[#neighbors + 1] = arch end
  search.rng:shuffle(neighbors)
  for _, arch in ipairs(neighbors) do
    local trial = search:evaluate(arch)
    if search:better(trial, here) then return trial end
  end
end

return nas.declare("nas.strategies.local_search", {
  doc = [[
Local search: from the best of `initial` random architectures, moves to a better neighbour (one decision changed) until
none is better, then begins again. "first" moves to the first better neighbour in a random order, "best" evaluates all
neighbours and moves to the best one.]],
  source = "White, Nolen & Savani, UAI 2021, algorithm 1",
  options = {
    { "improvement", "string", one_of = { "first", "best" }, default = "first", doc = "which better neighbour is moved to" },
    { "initial", "integer", min = 1, default = 10, doc = "random architectures at each start" },
    { "restarts", "integer", min = 0, optional = true, doc = "new starts at most; without it, until the stop rule" },
  },
  returns = "fun(search: Search)",
}, function(options)
  return function(search)
    local starts = 0
    repeat
      local here = best_of(search, search:map(start_of(search, starts == 0, options.initial)))
      while here do here = step(search, here, options.improvement) end
      starts = starts + 1
    until options.restarts and starts > options.restarts
  end
end)
