-- Tensors, their gradients, models and optimisers.

local nas = require "nas"
local expect = require "expect"
local nn = nas.nn

-- MARK: tensors

local a = nas.tensor { { 1, 2, 3 }, { 4, 5, 6 } }
expect.equal(a.shape, { 2, 3 })
expect.equal(#a, 2)
expect.equal((a + a * 2 - 1):totable(), { { 2, 5, 8 }, { 11, 14, 17 } })
expect.equal((-a / 2):totable(), { { -0.5, -1, -1.5 }, { -2, -2.5, -3 } })
expect.equal(nas.tensor(3):item(), 3)
expect.equal(nas.zeros { 2 }:totable(), { 0, 0 })
expect.equal(nas.ones({ 1, 2 }):totable(), { { 1, 1 } })
expect.is_true(tostring(a):find("Tensor {2, 3}", 1, true) ~= nil, tostring(a))
expect.is_true(#tostring(nas.zeros { 100, 100 }) < 2000)
expect.equal(nn.relu(nas.tensor { -1, 2 }):totable(), { 0, 2 })
expect.raises("[2, 3]", function() return a + nas.tensor { 1, 2, 3, 4 } end)
expect.raises("a tensor of one element", function() a:item() end)
expect.raises("rows differ", function() nas.tensor { { 1, 2 }, { 3 } } end)
expect.raises("only a model or a build can hold", function() nn.linear(a, 3) end)
expect.raises("has no 'shapes'", function() return a.shapes end)

-- MARK: gradients

local x = nas.tensor(3, { requires_grad = true })
local cube = x * x * x
cube:backward()
expect.near(x.grad:item(), 27, 1e-6)
x.grad = nil
expect.equal(x.grad, nil)
local first = nas.grad(x * x * x, { x }, { create_graph = true })[1]
expect.near(nas.grad(first, { x })[1]:item(), 18, 1e-5)
expect.is_true(not nas.no_grad(function() return x * x end).requires_grad)
expect.is_true(not (x * x):detach().requires_grad)

-- MARK: memory

for _ = 1, 300 do
  local big = nas.zeros({ 262144 }, { requires_grad = true })
  local chain = big * big
  expect.is_true(chain.requires_grad)
end

-- MARK: models

local model = nas.model(function(input)
  local hidden = nn.scope("hidden", function() return nn.relu(nn.linear(input, 8)) end)
  return nn.linear(hidden, 2) * nn.parameter("scale", { 2, 2 }, { init = "constant", scale = 1 })
end, { stream = "test" })
local input = nas.tensor { { 1, 2, 3 }, { -1, 0, 2 } }
local before = model(input):totable()
expect.equal(model(input):totable(), before)
local names = {}
for index, parameter in ipairs(model:parameters()) do names[index] = parameter.name end
expect.equal(names, { "hidden/linear1/weight", "hidden/linear1/bias", "linear1/weight", "linear1/bias", "scale" })
expect.raises("can't change its shape", function() model(nas.tensor { { 1, 2 }, { 3, 4 } }) end)

local optimiser = nas.optim.adam(model:parameters(), { lr = 0.05 })
local target = nas.tensor { { 1, -1 }, { 0.5, 2 } }
local path = model:save("start")
local function loss()
  local difference = model(input) - target
  return difference * difference
end
for _ = 1, 60 do
  optimiser:zero_grad()
  loss():backward(nas.ones { 2, 2 })
  optimiser:step()
end
for _, row in ipairs(loss():totable()) do
  for _, square in ipairs(row) do expect.is_true(square < 0.01, "the model learned: " .. square) end
end
model:load(path)
expect.equal(model(input):totable(), before)
optimiser.lr = 0.5
expect.equal(optimiser.lr, 0.5)
local schedule = nas.optim.schedule { curve = "cosine", peak = 1, total = 10, warmup = 2 }
expect.near(schedule(0), 0.5, 1e-9)
expect.near(schedule(10), 0, 1e-9)

-- MARK: ops of any number of inputs take a list too

local parts = { nas.tensor { 1, 2 }, nas.tensor { 3, 4 }, nas.tensor { 5, 6 } }
expect.equal(nas.nn.add(parts):totable(), { 9, 12 })
expect.equal(nas.nn.weighted_sum(nas.tensor { 1, 0, 2 }, parts):totable(), { 11, 14 })
