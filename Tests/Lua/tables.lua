-- CSV tables: opening, training and scoring, for classes and for numbers.

local nas = require "nas"
local expect = require "expect"
local nn = nas.nn

local space = nas.space {
  width = nas.oneof { 8, 16 },
  build = function(arch, x, task)
    local hidden = nn.relu(nn.linear(x, arch.width))
    return nn.linear(hidden, task.classes)
  end,
}

-- MARK: classes

local flowers = nas.data.open("tables/flowers.csv", {
  target = "kind", task = "classification", valid = 0.25, seed = 3,
})
expect.equal(flowers.image, { 5 })
expect.equal(flowers.class_names, { "setosa", "versicolor", "virginica" })
expect.equal({ flowers.train, flowers.valid, flowers.test }, { 144, 48, 48 })
expect.is_true(tostring(flowers):find("rows of 5 inputs in 3 classes", 1, true) ~= nil, tostring(flowers))

local network = space:make({ width = 16 }):network(flowers)
network:fit { data = flowers, epochs = 8, batch = 16, lr = 0.05 }
local scores = network:evaluate(flowers)
expect.is_true(scores.accuracy > 90, "accuracy " .. scores.accuracy)
expect.is_true(scores.balanced_accuracy > 90 and scores.macro_f1 > 90 and scores.loss < 0.5)
local again = space:make({ width = 16 }):network(flowers)
expect.equal(again:load(network:save() .. "/weights.safetensors"), { missing = {}, unused = {} })
expect.equal(again:evaluate(flowers), scores)

-- MARK: numbers

local options = { target = "price", task = "regression", valid = 0.2, missing = "mean", texts = { "postcode" } }
local prices = nas.data.open("tables/prices.csv", options)
expect.equal(prices.image, { 5 })
expect.equal({ prices.train, prices.valid, prices.test }, { 192, 48, 60 })
expect.is_true(tostring(prices):find("rows of 5 inputs for a regression", 1, true) ~= nil, tostring(prices))

local model = space:make({ width = 16 }):network(prices)
local before = model:evaluate(prices)
model:fit { data = prices, epochs = 20, batch = 16, lr = 0.02 }
local after = model:evaluate(prices)
expect.is_true(after.rmse < 25, "rmse " .. after.rmse)
expect.is_true(after.mae <= after.rmse and after.r2 > 0.97, "r2 " .. after.r2)
expect.is_true(before.rmse > 3 * after.rmse and before.r2 < after.r2)
expect.equal(after.accuracy, nil)
-- The mean squared error of targets with deviation 1 is that of the file's units over the variance.
local deviation = after.rmse / math.sqrt(after.loss)
expect.is_true(deviation > 140 and deviation < 190, "deviation " .. deviation)

-- MARK: batches have targets, standardised by the training part, and models of one's own train on them

local sum, squares, count = 0, 0, 0
for batch in prices:batches { size = 16 } do
  expect.equal(batch.targets.shape, { 16, 1 })
  sum = sum + nn.sum(batch.targets):item()
  squares, count = squares + nn.sum(batch.targets ^ 2):item(), count + batch.count
end
expect.equal(count, 192)
expect.near(sum / count, 0, 1e-4)
expect.near(squares / count, 1, 1e-3)
local flower = flowers:batches { size = 4 }()
expect.equal(flower.targets, nil)

-- MARK: a relaxed space on a regression minimises the squared error

local sides = nas.space {
  side = nas.oneof { "left", "right" },
  build = function(arch, x, task)
    x = nn.choice(arch.side, { left = nn.tanh, right = nn.tanh }, x)
    return nn.linear(x, task.classes, { name = "out" })
  end,
}
local net, batch = nas.relax(sides, { data = prices }), (prices:batches { size = 32 }())
local weight, bias = table.unpack(net:parameters())
local by_hand = nn.mse(nn.matmul(nn.tanh(batch.images), weight) + bias, batch.targets)
expect.near(net:loss(batch):item(), by_hand:item(), 1e-5)
local got, wanted = nas.grad(net:loss(batch), { weight })[1], nas.grad(by_hand, { weight })[1]
expect.is_true(nn.reduce_max(nn.abs(wanted)):item() > 1e-3)
expect.is_true(nn.reduce_max(nn.abs(got - wanted)):item() < 1e-5)
local made = nas.data.batch(batch.images, batch.targets)
expect.equal(net:loss(made):item(), net:loss(batch):item())
expect.raises("the batch doesn't fit 'prices.csv': expected targets, got classes", function()
  net:loss(nas.data.batch(batch.images, batch.labels))
end)
expect.raises("wrong shape of the network's output for a regression: expected [N, 1], got [N, 2]", function()
  nas.relax(nas.space { side = nas.oneof { 1, 2 }, build = function(arch, x)
    return nn.linear(nn.choice(arch.side, { nn.relu, nn.tanh }, x), 2)
  end }, { data = prices })
end)

-- MARK: a search for the smallest error

local result = nas.search {
  space = space,
  strategy = nas.strategies.random {},
  evaluate = nas.evaluators.train { data = prices, epochs = 2, batch = 16, lr = 0.02 },
  objectives = { { "rmse", "min" } },
  stop = { trials = 2 },
}
expect.equal(#result.trials, 2)
local best = result:best().metrics
expect.is_true(best.rmse <= result.trials[1].metrics.rmse and best.rmse <= result.trials[2].metrics.rmse)
expect.is_true(best.mae > 0 and best.r2 < 1)

-- MARK: mistakes

local function open(more, path)
  local all = { target = "price", task = "regression", missing = "mean" }
  for name, value in pairs(more) do all[name] = value end
  return nas.data.open(path or "tables/prices.csv", all)
end
expect.raises("rooms: a value is missing", function() open { missing = "error" } end)
expect.raises("no column 'prize'", function() open { target = "prize" } end)
expect.raises("expected names of columns, got 3", function() open { texts = { 3 } } end)
expect.raises("no column 'postcod'", function() open { texts = { "postcod" } } end)
expect.raises("only a table has the option 'target'", function() open({}, "shapes") end)
expect.raises("needs the options target and task", function() nas.data.open("tables/prices.csv") end)
expect.raises("none for a table", function()
  model:fit { data = prices, epochs = 1, batch = 16, augment = { flip = true } }
end)
expect.raises("network", function() network:evaluate(prices) end)
