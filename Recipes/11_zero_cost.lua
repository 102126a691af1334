-- %% [markdown] Scores without training
-- Zero-cost proxies (Abdelfattah et al. 2021) judge a network by one batch at its first weights. Thirty cells of
-- NAS-Bench-201 are scored by several, then trained for a short while: how far do the ranks agree? The number of
-- parameters is among them, since a proxy that doesn't beat it is of no use. Then one of our own.

local nas = require "nas"
local nn = nas.nn
local args = nas.args { data = "shapes", archs = 30, epochs = 4, batch = 32 }

local data = nas.data.open(args.data, { valid = 0.2, limit = 2000 })
local space = nas.spaces.nasbench201 { channels = 8, cells = 1 }

--- The mean, over the ReLUs, of how often each is on for about half of the samples: 1 at best.
local balance = nas.proxy {
  name = "balance",
  score = function(network, batch)
    local total, layers = 0, network:probe({ batch = batch, capture = "relu" }).activations
    for _, layer in ipairs(layers) do
      local share = nn.mean(nn.sign(layer.value), { axes = { 1 } })
      total = total + nn.mean(4 * share * (1 - share)):item()
    end
    return total / #layers
  end,
}

-- %% Score
local names = { "params", "grad_norm", "snip", "synflow", "jacob_cov", "naswot", "zico" }
local proxies = { balance, table.unpack(names) }
local scored = nas.search {
  name = "scored",
  space = space,
  strategy = nas.strategies.random {},
  evaluate = nas.evaluators.proxy { proxies = proxies, data = data, batch = args.batch },
  objectives = { { "balance", "max" } },
  stop = { trials = args.archs },
}

-- %% Train the same cells
local archs = {}
for index, trial in ipairs(scored.trials) do archs[index] = trial.arch end
local trained = nas.search {
  name = "trained",
  space = space,
  strategy = nas.strategies.listed(archs),
  evaluate = nas.evaluators.train { data = data, epochs = args.epochs, batch = 64, every = 0 },
  objectives = { { "accuracy", "max" } },
  stop = { trials = args.archs },
}

-- %% Compare
--- Ranks from 1; equal values share the mean of theirs.
local function ranks(trials, metric)
  local result = {}
  for index, trial in ipairs(trials) do
    local value, rank = trial.metrics[metric], 0.5
    for _, other in ipairs(trials) do
      local number = other.metrics[metric]
      rank = rank + (number < value and 1 or number == value and 0.5 or 0)
    end
    result[index] = rank
  end
  return result
end

--- Spearman's correlation of a proxy's scores with the accuracies, over the cells that the proxy gives a number for.
local function agreement(metric)
  local a, b = {}, {}
  for index, trial in ipairs(scored.trials) do
    local score = trial.metrics[metric]
    if math.abs(score or 0 / 0) < math.huge then
      a[#a + 1], b[#b + 1] = trial, trained.trials[index]
    end
  end
  return nas.linalg.corrcoef({ ranks(a, metric), ranks(b, "accuracy") }):at(1, 2), #a
end

print(trained:best())
table.insert(names, 1, "balance")
for _, name in ipairs(names) do
  local correlation, count = agreement(name)
  print(("%-10s Spearman %6.3f over %d cells"):format(name, correlation, count))
end
