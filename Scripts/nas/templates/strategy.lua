-- %% [markdown]
-- # A strategy of your own
-- A strategy is a function of the search: it asks for architectures and looks at their trials. This one climbs hills; it
-- is compared with random search at the same number of trials.

local nas = require "nas"

local args = nas.args { data = "shapes", trials = 10, epochs = 2 }
local data = nas.data.open(args.data, { valid = 0.2 })

--- Moves to a child whenever it is better than its parent. It may run for ever: the stop rule ends it.
local function climb(search)
  local here = search:evaluate(search.space:random())
  while true do
    local child = search:evaluate(search.space:mutate(here.arch))
    if search:better(child, here) then here = child end
  end
end

local function run(name, strategy)
  local result = nas.search {
    name = name,
    space = nas.spaces.nasbench201 { channels = 4, cells = 1 },
    strategy = strategy,
    evaluate = nas.evaluators.train { data = data, epochs = args.epochs, lr = 0.05 },
    stop = { trials = args.trials },
  }
  print(("%-8s %6.2f %%  %s"):format(name, result:best().metrics.accuracy, result:best().arch))
end

run("climb", climb)
run("random", nas.strategies.random {})
