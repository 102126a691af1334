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

-- MARK: operators and broadcasting

local m, row, column = nas.tensor { { 1, 2, 3 }, { 4, 5, 6 } }, nas.tensor { 1, 10, 100 }, nas.tensor { { 2 }, { 4 } }
expect.equal((m + row):totable(), { { 2, 12, 103 }, { 5, 15, 106 } })
expect.equal((row - m):totable(), { { 0, 8, 97 }, { -3, 5, 94 } })
expect.equal((m * column):totable(), { { 2, 4, 6 }, { 16, 20, 24 } })
expect.equal((m / column):totable(), { { 0.5, 1, 1.5 }, { 1, 1.25, 1.5 } })
expect.equal((row + column).shape, { 2, 3 })
expect.equal((row + column):totable(), { { 3, 12, 102 }, { 5, 14, 104 } })
expect.equal((1 - m):totable(), { { 0, -1, -2 }, { -3, -4, -5 } })
expect.equal((6 / nas.tensor { 1, 2, 3 }):totable(), { 6, 3, 2 })
expect.equal((2 * m - m * 2):totable(), { { 0, 0, 0 }, { 0, 0, 0 } })
expect.equal((m ^ 2):totable(), { { 1, 4, 9 }, { 16, 25, 36 } })
expect.equal((nas.tensor { 1, 2, 4 } ^ -1):totable(), { 1, 0.5, 0.25 })
expect.equal((nas.tensor { 1, 4, 9 } ^ 0.5):totable(), { 1, 2, 3 })
expect.equal((nas.tensor { -2, 3 } ^ 3):totable(), { -8, 27 })
expect.equal((nas.tensor { -2, 3 } ^ 0):totable(), { 1, 1 })
expect.equal((m + nas.tensor(1)):totable(), { { 2, 3, 4 }, { 5, 6, 7 } })

-- MARK: gradients of what is repeated are sums

local wide = nas.tensor({ { 1, 2, 3 }, { 4, 5, 6 } }, { requires_grad = true })
local narrow = nas.tensor({ 1, 10, 100 }, { requires_grad = true })
local tall = nas.tensor({ { 2 }, { 4 } }, { requires_grad = true })
local grads = nas.grad(nn.sum(wide * narrow / tall), { wide, narrow, tall })
expect.equal(grads[1]:totable(), { { 0.5, 5, 50 }, { 0.25, 2.5, 25 } })
expect.equal(grads[2]:totable(), { 1.5, 2.25, 3 })
expect.equal(grads[3]:totable(), { { -321 / 4 }, { -654 / 16 } })
local power = nas.grad(nn.sum(wide ^ 3), { wide })[1]
expect.equal(power:totable(), { { 3, 12, 27 }, { 48, 75, 108 } })

-- MARK: errors name the shapes and the line

--- The function raises exactly this text, after the recipe's line.
local function raises_exactly(text, fn)
  local ok, err = pcall(fn)
  expect.is_true(not ok, "no error")
  expect.equal((tostring(err):gsub("^tensors%.lua:%d+: ", "LINE: ")), "LINE: " .. text)
end
raises_exactly(
  "add: input 2 has another shape: expected [2, 3], got [2]",
  function() return m + nas.tensor { 1, 2 } end)
raises_exactly(
  "mul: the shapes don't fit together: expected [2, 3], or extents of 1 where they differ, got [2, 2]",
  function() return m * nas.tensor { { 1, 2 }, { 3, 4 } } end)
raises_exactly(
  "matmul: the matrices don't fit: expected […, M, K] and […, K, P] with the same leading axes, or [K, P], got [2, 3] and [2, 3]",
  function() return nn.matmul(m, m) end)
raises_exactly(
  "reshape: the shape doesn't fit: expected the elements of [2, 3], got [4, 2]. The number of elements must stay 6.",
  function() return nn.reshape(m, { 4, 2 }) end)
raises_exactly(
  "sum: there is no such axis: expected 1 to 2, or -1 for the last, of [2, 3], got 3",
  function() return nn.sum(m, { axes = { 3 } }) end)
raises_exactly(
  "conv2d: wrong input shape: expected [N, H, W, C], got [2, 3]",
  function() return nn.conv2d(m, 3, 3) end)
raises_exactly(
  "transpose: wrong order of axes: expected 1 to 2, each once, got [1, 1]",
  function() return nn.transpose(m, { 1, 1 }) end)
raises_exactly(
  "wrong operands of '^': expected a Tensor to the power of a number, as in x ^ 2, got a Tensor ^ a Tensor",
  function() return m ^ m end)
raises_exactly(
  [[wrong operands of '+': expected a Tensor and a Tensor or a number, got a Tensor + the text "1"]],
  function() return m + "1" end)
raises_exactly(
  "a gradient needs a tensor of one element: expected [], got [2, 3]. Take the mean or the sum first.",
  function() return nas.grad(wide * 2, { wide }) end)
raises_exactly(
  "the gradient of a tensor has its shape: expected [2, 3], got [3, 2]",
  function() wide:backward(nas.ones { 3, 2 }) end)

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

-- MARK: second order

-- ½ xᵀ A x with a symmetric A: its gradient is A x, and the Hessian's product with v is A v.
local A = nas.tensor { { 4, 1, -2 }, { 1, 3, 0.5 }, { -2, 0.5, 5 } }
local point, v = nas.tensor({ { 1 }, { -2 }, { 3 } }, { requires_grad = true }), nas.tensor { { 0.3 }, { 1.7 }, { -0.9 } }
local gradient = nas.grad(nn.sum(point * nn.matmul(A, point)) * 0.5, { point }, { create_graph = true })[1]
local product = nas.grad(nn.sum(gradient * v), { point })[1]:totable()
local first_order, wanted = nn.matmul(A, point):totable(), nn.matmul(A, v):totable()
for i = 1, 3 do
  expect.near(gradient:totable()[i][1], first_order[i][1], 1e-4 * math.abs(first_order[i][1]))
  expect.near(product[i][1], wanted[i][1], 1e-4 * math.abs(wanted[i][1]))
end

-- MARK: a change in place between a computation and its gradient is an error

local moved = nas.tensor(3, { requires_grad = true })
local mover = nas.optim.sgd({ moved }, { lr = 0.1 })
local square, power_of_three = moved * moved, moved ^ 3
square:backward()
mover:step()
raises_exactly(
  "a tensor that the gradient needs was changed in place after it was used: expected input 1 of pow as it was then, got "
    .. "[], changed by tensor:set or an optimiser's step. Take all gradients before the change, or compute again what "
    .. "depends on the tensor.",
  function() power_of_three:backward() end)

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

-- MARK: scopes return everything and end with an error

local function names_of(model)
  local names = {}
  for i, parameter in ipairs(model:parameters()) do names[i] = parameter.name end
  return names
end
local cell = nas.model(function(input)
  local h, c = nn.scope("cell", function() return nn.lstm_cell(nn.linear(input, 8, { name = "gates" }), nas.zeros { 2, 2 }) end)
  return h, c, select("#", nn.scope("none", function() end))
end)
local h, c, count = cell(nas.ones { 2, 3 })
expect.equal({ h.shape, c.shape, count }, { { 2, 2 }, { 2, 2 }, 0 })
local careful = nas.model(function(input)
  expect.is_true(not pcall(nn.scope, "outer", function() nn.scope("inner", function() error "no" end) end))
  return nn.linear(input, 8, { name = "after" })
end)
careful(nas.ones { 2, 3 })
expect.equal(names_of(careful), { "after/weight", "after/bias" })

-- MARK: an LSTM cell wants four gates for each number of its state

local function gates_of(gates, state)
  return function() return nn.lstm_cell(nas.zeros(gates), nas.zeros(state)) end
end
raises_exactly(
  "nn.lstm_cell: the gates don't fit the cell's state: expected gates [2, 8] for c [2, 2], got gates [2, 10]. The last "
    .. "axis of the gates has four numbers for each of c.", gates_of({ 2, 10 }, { 2, 2 }))
expect.raises("expected gates [2, 4] for c [2, 1], got gates [2, 12]", gates_of({ 2, 12 }, { 2, 1 }))

-- MARK: a step of an LSTM is its cell after the product, also for its gradients

local function recurrence(step)
  local function made(shape, scale)
    local values = {}
    for i = 1, shape[1] * (shape[2] or 1) do values[i] = math.sin(i * scale) end
    return nn.reshape(nas.tensor(values), shape):detach()
  end
  local model = nas.model(function(x)
    local weight, bias = nn.parameter("weight", { 7, 16 }), nn.parameter("bias", { 16 })
    local h, c = nas.zeros { 2, 4 }, nas.zeros { 2, 4 }
    for _ = 1, 3 do h, c = step(x, h, c, weight, bias) end
    return nn.sum(nn.concat(h, c) * made({ 2, 8 }, 0.7))
  end)
  local loss = model(made({ 2, 3 }, 1.3))
  loss:backward()
  local results = { loss:item() }
  for _, parameter in ipairs(model:parameters()) do results[#results + 1] = parameter.grad:totable() end
  return results
end
expect.equal(recurrence(nn.lstm_step), recurrence(function(x, h, c, weight, bias)
  return nn.lstm_cell(nn.matmul(nn.concat(x, h), weight) + bias, c)
end))
expect.raises("matmul: the matrices don't fit", function()
  nn.lstm_step(nas.zeros { 2, 3 }, nas.zeros { 2, 4 }, nas.zeros { 2, 4 }, nas.zeros { 8, 16 }, nas.zeros { 16 })
end)
expect.raises("the gates don't fit", function()
  nn.lstm_step(nas.zeros { 2, 3 }, nas.zeros { 2, 4 }, nas.zeros { 2, 4 }, nas.zeros { 7, 12 }, nas.zeros { 12 })
end)

-- MARK: an error of a function in tail position has the line of its caller

local function tail(x) return nn.attention(x, { heads = 3 }) end
local _, at_tail = pcall(tail, nas.ones { 2, 5, 8 })
local function direct(x)
  local y = nn.attention(x, { heads = 3 })
  return y
end
local _, at_call = pcall(direct, nas.ones { 2, 5, 8 })
expect.equal(tonumber(tostring(at_call):match ":(%d+):") - tonumber(tostring(at_tail):match ":(%d+):"), 3)

-- MARK: words

expect.equal(("%s %s"):format(0 / 0, -(0 / 0)), "nan nan")
expect.raises("nas.tensor: a table without numbers: expected at least one number, got a table with names",
  function() nas.tensor { a = 1 } end)
expect.raises(
  "wrong argument 2 of 'nas.nn.cross_entropy': expected a Tensor, got a list of numbers. Make it one: "
    .. "nas.tensor(batch.labels).",
  function() nas.nn.cross_entropy(nas.ones { 2, 3 }, { 1, 2 }) end)
expect.near(nas.nn.cross_entropy(nas.ones { 2, 3 }, nas.tensor { 1, 2 }):item(), math.log(3), 1e-6)
