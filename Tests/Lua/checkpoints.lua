-- Steps of a script's own training, files of optimisers, models and shared weights, and what a relaxed network answers.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

-- MARK: a step returns what its function returned, and is the same step when it is asked for again

local w = nas.tensor({ 1, 2 }, { requires_grad = true })
local optimiser = nas.optim.adam({ w }, { lr = 0.1 })
local calls = 0
local function descend()
  optimiser:zero_grad()
  local loss = nn.sum(w * w)
  loss:backward()
  optimiser:step()
  return { loss = loss:item(), text = "x", list = { 1, 2.5 }, none = 0 / 0 }
end
local result = nas.checkpoint { name = "first", state = { w = w, optimiser = optimiser }, run = descend }
expect.equal(result.loss, 5.0)
expect.equal(result.text, "x")
expect.equal(result.list, { 1, 2.5 })
expect.is_true(result.none ~= result.none, "NaN stays a number")
-- Adam's first step is lr · g / (|g| + eps).
expect.near(w:totable()[1], 0.9, 1e-6)
expect.near(w:totable()[2], 1.9, 1e-6)
expect.is_true(w.grad == nil, "gradients end with the step")

-- From the same state the same step is the same effect: it isn't paid again, and the state after it is that state.
local before = w:totable()
local v = nas.tensor({ 1, 2 }, { requires_grad = true })
local function twice()
  return nas.checkpoint { name = "again", state = { v }, run = function()
    v:set { v:totable()[1] + 1, 5 }
    return 1
  end }
end
twice()
expect.equal(v:totable(), { 2.0, 5.0 })
v:set { 1, 2 }
twice()
expect.equal(v:totable(), { 2.0, 5.0 })
expect.equal(w:totable(), before)

-- MARK: what a step may not do

expect.raises("nas.checkpoint: state is empty", function()
  nas.checkpoint { name = "x", state = {}, run = function() end }
end)
expect.raises("state.a: nas.checkpoint: wrong element of state: expected a Tensor, a Model", function()
  nas.checkpoint { name = "x", state = { a = 3 }, run = function() end }
end)
expect.raises("Put it into `state` when the step changes it", function()
  nas.checkpoint { name = "x", state = { v }, run = function() optimiser:step() end }
end)
local held = nas.data.open("shapes", { valid = 60, limit = 300, test_limit = 60 }):batches { size = 30 }
expect.raises("got an iterator or a wrapped coroutine", function()
  nas.checkpoint { name = "x", state = { v }, run = function() held() end }
end)
local lazy = nas.model(function(x) return nn.linear(x, 1) end)
expect.raises("state.1: nas.checkpoint: a model without parameters", function()
  nas.checkpoint { name = "x", state = { lazy }, run = function() end }
end)

-- MARK: an optimiser goes on from its file as if nothing had been in between

local function trained(steps, between)
  local x = nas.tensor({ 1, -2, 3 }, { requires_grad = true })
  local adam = nas.optim.adam({ x }, { lr = 0.05 })
  for step = 1, steps do
    adam:zero_grad()
    nn.sum(x * x * x):backward()
    adam:step()
    if step == 3 and between then adam = between(adam, x) end
  end
  return x:totable()
end
expect.equal(
  trained(6, function(adam, x)
    local path = adam:save("moments")
    local fresh = nas.optim.adam({ x }, { lr = 1 })
    fresh:load(path)
    expect.equal(fresh.lr, 0.05)
    return fresh
  end),
  trained(6)
)
expect.raises("the state of an optimiser doesn't fit", function()
  nas.optim.adam({ v }, {}):load(optimiser:save("two"):gsub("two", "moments"), nil)
end)

-- MARK: a model takes weights by a map of names

local model = nas.model(function(x) return nn.linear(x, 2, { name = "answer" }) end, { stream = "one" })
local other = nas.model(function(x) return nn.linear(x, 2, { name = "head" }) end, { stream = "two" })
local x = nas.ones { 1, 3 }
model(x)
other(x)
local path = other:save("other")
expect.equal(model:load(path, { map = { ["head/(%a+)"] = "answer/%1" } }), { missing = {}, unused = {} })
expect.equal(model(x):totable(), other(x):totable())
expect.raises("an entry of map names nothing in the file: got [\"haed/weight\"]. Did you mean 'head/weight'?", function()
  model:load(path, { map = { ["haed/weight"] = "answer/weight" }, strict = false })
end)
expect.raises("an entry of map names no parameter: got [\"head/bias\"] = \"anwser/bias\"", function()
  model:load(path, { map = { ["head/weight"] = "answer/weight", ["head/bias"] = "anwser/bias" }, strict = false })
end)

-- MARK: shared weights under a name

local data = nas.data.open("shapes", { valid = 60, limit = 300, test_limit = 60 })
local function build(arch, x, task)
  x = nn.choice(arch.op, {
    conv = function() return nn.relu(nn.conv2d(x, 4, { kernel = 3, stride = 2 })) end,
    pool = function() return nn.conv2d(nn.avg_pool(x, { kernel = 2 }), 4, { kernel = 1 }) end,
  })
  return nn.linear(nn.global_avg_pool(x), task.classes)
end
local space = nas.space { op = nas.oneof { "conv", "pool" }, build = build }
local shared = nas.weights(space, { data = data })
local batch = data:batches { size = 30 }()
shared:step(space:make { op = "conv" }, batch, { lr = 0.1 })
local saved = shared:save("shared")
local again = nas.weights(space, { data = data, stream = "again" })
again:load(saved)
local arch = space:make { op = "conv" }
expect.equal(again:evaluate(arch, { bn = "batch", batch = 30 }), shared:evaluate(arch, { bn = "batch", batch = 30 }))

-- MARK: what a relaxed network answers

local net = nas.relax(space, { data = data })
local logits = net:logits(batch)
expect.equal(logits.shape, { 30, data.classes })
expect.near(nn.cross_entropy(logits, nas.tensor(batch.labels)):item(), net:loss(batch):item(), 1e-6)
nn.mean(logits * logits):backward()
expect.is_true(net.alpha.op.grad ~= nil, "a loss of one's own reaches the mixing weights")
local scores = net:evaluate(data, { batch = 30 })
local total = 0
for held_out in data:batches { split = "valid", size = 30, epochs = 1 } do
  total = total + nas.no_grad(function() return net:loss(held_out):item() end)
end
expect.near(scores.loss, total / 2, 1e-5)
expect.is_true(net:loss(data:batches { size = 30 }()):item() > 0, "an iterator called by hand gives the batch alone")

-- MARK: the mixing weights

expect.raises("net.alpha has no decision 'opp': expected one of op. Did you mean 'op'?", function() return net.alpha.opp end)
expect.raises('the mixing weights can\'t be replaced. Change their numbers: net.alpha["op"]:set { … }.', function()
  net.alpha.op = nas.tensor { 1, 2 }
end)
local paths = {}
for name in pairs(net.alpha) do paths[#paths + 1] = name end
expect.equal(paths, { "op" })
net.alpha.op:set { 0 / 0, 1 }
expect.raises("op: net:derive: mixing weights that are not numbers", function() net:derive() end)

-- MARK: names and sizes that don't fit

local function relaxed(build_)
  return function() nas.relax(nas.space { op = nas.oneof { "conv", "pool" }, build = build_ }, { data = data }) end
end
expect.raises("no decision 'opp': expected one of op. Did you mean 'op'?", relaxed(function(arch, x, task)
  return nn.choice(arch.opp, {})
end))
local function seven(arch, x)
  x = nn.choice(arch.op, { conv = function() return x end, pool = function() return x end })
  return nn.linear(nn.global_avg_pool(x), 7)
end
local wrong = "space.build: the network's output doesn't fit the data: expected " .. data.classes .. " classes, got 7"
expect.raises(wrong, relaxed(seven))
expect.raises(wrong, function()
  nas.weights(nas.space { op = nas.oneof { "conv", "pool" }, build = seven }, { data = data })
end)

-- MARK: small things

expect.raises("the proxy 'own' returned no score: expected a number, got nil", function()
  local own = nas.proxy { name = "own", score = function() end }
  local evaluator = nas.evaluators.proxy { proxies = { own }, data = data, batch = 8 }
  evaluator.run { network = function() return nas.network(arch, { data = data }) end }
end)
local m = nas.linalg.matrix { { 1, 2 }, { 3, 4 } }
expect.equal(nas.linalg.gram(m):totable(), { { 5.0, 11.0 }, { 11.0, 25.0 } })
expect.raises("dirichlet: wrong concentration: expected numbers above 0, got -1.0", function()
  local concentrations = nas.model(function() return nn.dirichlet(nas.tensor { { 1, -1 } }) end)
  concentrations()
end)
local blocks = nas.model(function(x)
  x = nn.mbconv(x, 4, { expand = 2, name = "block1" })
  return nn.mbconv(x, 4, { expand = 2, name = "block2" })
end)
blocks(nas.ones { 1, 4, 4, 4 })
expect.equal(blocks:parameters()[1].name, "block1/expand/conv/weight")

expect.raises("weights:fit: the training diverged: expected a finite loss, got", function()
  nas.weights(space, { data = data, stream = "diverged" }):fit { epochs = 2, batch = 30, lr = 1e30 }
end)
local nowhere = nas.model(function(x) return nn.linear(x, 1) end, { stream = "nowhere" })
nowhere(x)
nowhere:parameters()[1]:set(nas.tensor { { 0 / 0 }, { 1 }, { 2 } })
local broken = nowhere:save("broken")
expect.raises("linear1/weight: an array of the weights holds what is no number: expected finite numbers, got NaN", function()
  nowhere:load(broken)
end)
