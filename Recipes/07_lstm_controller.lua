-- %% [markdown]
-- # A controller that learns to write networks
-- Neural architecture search began with a network that writes networks (Zoph & Le, ICLR 2017): an LSTM takes one
-- decision after the other, the child network is trained, its accuracy is the reward, and REINFORCE makes good
-- decisions likelier. Here is the whole of it, in a page. `nasrun Recipes/07_lstm_controller.lua`; a minute or two on
-- one core.

local nas = require "nas"
local nn = nas.nn
local args = nas.args { data = "shapes", rounds = 35, children = 4, hidden = 16, lr = 0.03 }

-- %% [markdown]
-- ## What it writes
-- Three blocks, each with an operation and a width. All children are trained for three epochs on the same images.

local space = nas.space {
  blocks = nas.list(3, { op = nas.oneof { "pool", "conv1", "conv3", "sep3" }, width = nas.oneof { 4, 8, 16 } }),
  build = function(arch, x, task)
    for index, block in ipairs(arch.blocks) do
      x = nn.scope("block" .. index, function()
        if block.op == "pool" then
          return nn.conv2d(nn.avg_pool(x, { kernel = 3, stride = 1, padding = 1 }), block.width, { kernel = 1 })
        elseif block.op == "sep3" then
          x = nn.conv2d(x, x.channels, { kernel = 3, groups = x.channels, name = "depthwise" })
          return nn.relu(nn.batch_norm(nn.conv2d(x, block.width, { kernel = 1 })))
        end
        return nn.relu(nn.batch_norm(nn.conv2d(x, block.width, { kernel = block.op == "conv3" and 3 or 1 })))
      end)
      if index < 3 then x = nn.avg_pool(x, { kernel = 2 }) end
    end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}
local data = nas.data.open(args.data, { valid = 0.3, limit = 1500 })

-- %% [markdown]
-- ## The controller
-- A model of our own: `nas.model` keeps the parameters that its function asks for. Every decision has a softmax, and an
-- embedding that tells the next step what was taken. `space:compose` puts the questions: it calls a function for every
-- decision, outer ones first, and makes an architecture of the answers, whatever the space looks like.

local site_of = {}
for index, decision in ipairs(space:decisions()) do site_of[decision.site] = index end

local controller = nas.model(function(draw)
  local size, parameters = args.hidden, { heads = {} }
  parameters.weight = nn.parameter("weight", { 2 * size, 4 * size }, { scale = 0.2 })
  parameters.start = nn.parameter("start", { 1, size })
  for index, decision in ipairs(space:decisions()) do
    parameters.heads[index] = {
      softmax = nn.parameter("softmax" .. index, { size, #decision.options }),
      embedding = nn.parameter("embedding" .. index, { #decision.options, size }),
    }
  end
  return draw(parameters)
end, { stream = "controller" })

--- Writes one architecture; returns it with the logarithm of its probability, on the tape.
local function write(rng)
  return controller(function(parameters)
    local x, h, c = parameters.start, nas.zeros { 1, args.hidden }, nas.zeros { 1, args.hidden }
    local log_probability = 0
    local arch = space:compose(function(decision)
      local head = parameters.heads[site_of[decision.site]]
      h, c = nn.lstm_cell(nn.matmul(nn.concat(x, h), parameters.weight), c)
      local log_p = nn.log_softmax(nn.matmul(h, head.softmax))
      local left, position = rng:uniform(), 0
      for _, p in ipairs(nn.exp(log_p):totable()[1]) do
        if left >= 0 then position, left = position + 1, left - p end
      end
      log_probability = log_probability + nn.sum(nn.slice(log_p, { axis = 2, start = position, stop = position }))
      x = nn.slice(head.embedding, { axis = 1, start = position, stop = position })
      return position
    end)
    return arch, log_probability
  end)
end

-- %% [markdown]
-- ## REINFORCE
-- Each round writes some children and trains them. The loss is -(reward - baseline) · log probability: what did better
-- than usual becomes likelier, what did worse less so. The baseline is a moving average of the rewards; without one,
-- everything that is not a failure would be reinforced.

local written = {}

local function reinforce(search)
  controller(function() end)
  local adam = nas.optim.adam(controller:parameters(), { lr = args.lr })
  local baseline
  for round = 1, args.rounds do
    local archs, log_probabilities = {}, {}
    for child = 1, args.children do archs[child], log_probabilities[child] = write(search.rng) end
    local loss, mean = 0, 0
    for child, trial in ipairs(search:map(archs)) do
      local reward = trial.failed and 0 or trial.metrics.accuracy
      baseline = baseline and 0.9 * baseline + 0.1 * reward or reward
      loss = loss - log_probabilities[child] * (reward - baseline)
      mean = mean + reward / args.children
      written[#written + 1] = { arch = trial.arch, reward = reward }
    end
    adam:zero_grad()
    loss:backward()
    adam:step()
    if round % 5 == 0 then print(("round %2d  mean accuracy of its children %5.2f %%"):format(round, mean)) end
  end
end

local evaluate = nas.evaluators.train { data = data, epochs = 3, batch = 32, lr = 0.1, every = 0 }
local result = nas.search { name = "controller", space = space, strategy = reinforce, evaluate = evaluate }

-- %% [markdown]
-- ## Did it learn?
-- The mean of what it writes should rise from round to round. A controller doesn't search for one good network, it
-- learns to write good ones: compare the last rounds with the first, which are as good as random. What it prefers can
-- be read off its last children.

local function mean(from, to)
  local sum = 0
  for index = from, to do sum = sum + written[index].reward end
  return sum / (to - from + 1)
end
local count = #written
local part = count // 4
print(("first quarter of the networks: %.2f %% on average, last quarter: %.2f %%"):format(
  mean(1, part), mean(count - part + 1, count)))
local counts = {}
for index = count - part + 1, count do
  for _, block in ipairs(written[index].arch.blocks) do
    local key = block.op .. " " .. block.width
    counts[key] = (counts[key] or 0) + 1
  end
end
local favourites = {}
for key in pairs(counts) do favourites[#favourites + 1] = key end
table.sort(favourites, function(a, b)
  if counts[a] ~= counts[b] then return counts[a] > counts[b] end
  return a < b
end)
print("its favourite blocks by then: " .. table.concat(favourites, ", ", 1, math.min(4, #favourites)))
print("best: " .. tostring(result:best()))

-- %% [markdown]
-- `nas.strategies.lstm_controller` is this with all kinds of decisions, several layers, an entropy bonus and failed
-- trials in mind; `nas.strategies.reinforce` replaces the LSTM by a table of logits, which is often as good.
