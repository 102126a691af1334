-- %% [markdown]
-- # A strategy of your own
-- A strategy is a function of a `search`. It asks for trials and reads what came out, and that is all. Here we write
-- simulated annealing, and find out honestly whether it is better than drawing at random: over 20 seeds, on a table.
-- `nasrun Recipes/04_own_strategy.lua`; a minute or two on one core.

local nas = require "nas"
local nn = nas.nn
local args = nas.args { data = "shapes", epochs = 6, seeds = 20, trials = 24 }

-- %% [markdown]
-- ## A table
-- One run of a strategy tells nothing: luck is larger than what strategies differ by. Twenty runs with training would
-- take the afternoon. So we train every architecture of a small space once (that is what `grid` does), and let the
-- strategies look their results up.

local operations = { "none", "skip", "conv1", "conv3" }
local space = nas.space {
  edges = nas.list(3, nas.oneof(operations)),
  build = function(arch, x, task)
    x = nn.relu(nn.batch_norm(nn.conv2d(x, 8, { kernel = 3 })))
    for index, edge in ipairs(arch.edges) do
      x = nn.scope("edge" .. index, function()
        local kernel = edge == "conv3" and 3 or 1
        if edge == "none" then return nn.zero(x) end
        if edge == "skip" then return nn.add(x, x) end
        return nn.add(x, nn.batch_norm(nn.conv2d(nn.relu(x), 8, { kernel = kernel })))
      end)
      x = nn.avg_pool(x, { kernel = 2 })
    end
    return nn.linear(nn.global_avg_pool(nn.relu(x)), task.classes)
  end,
}
local data = nas.data.open(args.data, { valid = 0.3, limit = 2000 })
local table_search = nas.search {
  name = "table",
  space = space,
  strategy = nas.strategies.grid {},
  evaluate = nas.evaluators.train { data = data, epochs = args.epochs, batch = 32, lr = 0.1, every = 0 },
}
local rows = {}
for _, trial in ipairs(table_search.trials) do rows[trial.arch:id()] = { accuracy = trial.metrics.accuracy } end
print(("%d of %d architectures trained, best: %s"):format(#table_search.trials, space:size(), table_search:best()))

-- %% [markdown]
-- ## The strategy
-- Simulated annealing (Kirkpatrick, Gelatt & Vecchi, 1983) walks from neighbour to neighbour. A better one is always
-- taken, a worse one with probability exp(-loss / temperature), and the temperature falls. It may run for ever: the
-- stop rule ends it. Random numbers come from `search.rng`, so that a run with the same seed repeats.

local function annealing(options)
  return function(search)
    local here = search:evaluate(search.space:random())
    local temperature = options.start
    while true do
      local there = search:evaluate(search.space:mutate(here.arch))
      local loss = here.metrics.accuracy - there.metrics.accuracy
      if loss <= 0 or search.rng:uniform() < math.exp(-loss / temperature) then here = there end
      temperature = temperature * options.factor
    end
  end
end

-- %% [markdown]
-- ## The race
-- Every strategy gets the same number of trials, and every search another name and with it other random numbers. The
-- temperatures are in the unit of the objective, per cent.

local strategies = {
  { "random search", nas.strategies.random {} },
  { "annealing, hot", annealing { start = 20, factor = 1 } },
  { "annealing, cooling", annealing { start = 10, factor = 0.8 } },
  { "local search", nas.strategies.local_search { initial = 4 } },
}
local lookup = nas.evaluators.table { rows = rows, key = function(arch) return arch:id() end }
local found = {}
for number, entry in ipairs(strategies) do
  local bests, sum = {}, 0
  for seed = 1, args.seeds do
    local result = nas.search {
      name = ("race%d_%d"):format(number, seed),
      space = space, strategy = entry[2], evaluate = lookup, stop = { trials = args.trials },
    }
    bests[seed] = result:best().metrics.accuracy
    sum = sum + bests[seed]
  end
  found[number] = { name = entry[1], bests = bests, mean = sum / args.seeds }
end

-- %% [markdown]
-- ## Who won?
-- The mean of the best found, how far that is from the best of the table, and in how many seeds it was better or worse
-- than random search. A strategy that wins in 12 of 20 has shown nothing yet.

local target = table_search:best().metrics.accuracy
for _, entry in ipairs(found) do
  local wins, losses = 0, 0
  for seed, best in ipairs(entry.bests) do
    if best > found[1].bests[seed] then wins = wins + 1 elseif best < found[1].bests[seed] then losses = losses + 1 end
  end
  local verdict = entry == found[1] and "" or ("; in %2d seeds better than random, in %2d worse"):format(wins, losses)
  print(("%-20s mean best %.2f %%, %.2f below the optimum%s"):format(
    entry.name, entry.mean, target - entry.mean, verdict))
end
