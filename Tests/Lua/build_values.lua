-- Values of a network that is being built: operators, and tensors as constants.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local data = nas.data.open("shapes", { valid = 20, limit = 100, test_limit = 20 })
local batch = data:batches { size = 4 }()

--- The outputs of a network of one build on a batch.
local function outputs(build)
  local space = nas.space { which = nas.oneof { 1, 2 }, build = function(arch, x) return build(x) end }
  return nas.network(space:make { which = 1 }, { data = data }):probe({ batch = batch, loss = "sum" }).outputs
end

local function close(build)
  local got, wanted = outputs(function(x) return build(nn.global_avg_pool(x)) end), build(nn.mean(batch.images, { axes = { 2, 3 } }))
  expect.equal(got.shape, wanted.shape)
  local difference = nn.reduce_max(nn.abs(got - wanted)):item()
  expect.is_true(difference < 1e-6, ("off by %g"):format(difference))
end

-- MARK: the operators are those of tensors

local channels = batch.images.shape[4]
local factors, shifts = {}, {}
for i = 1, channels do factors[i], shifts[i] = i - 1.5, 2 * i end
local f, s = nas.tensor(factors), nas.tensor(shifts)
for _, build in ipairs {
  function(x) return x + 2 end, function(x) return 2 + x end, function(x) return x - 3 end,
  function(x) return 3 - x end, function(x) return x * 0.5 end, function(x) return 0.5 * x end,
  function(x) return x / 3 end, function(x) return 2 / (x + 10) end, function(x) return (x + 10) ^ 1.5 end,
  function(x) return -x end, function(x) return x + x * x - x / (x + 10) end,
  function(x) return x * f + s end, function(x) return f - x end, function(x) return s / (x + 10) end,
  function(x) return nn.mul(x, f) end, function(x) return nn.add(s, x, x) end,
  function(x) return nn.maximum(x, nn.mul(f, s)) end,
} do close(build) end

-- MARK: causal attention in a network is that of tensors: later tokens change nothing before them

local function causal(x) return nn.attention(x, { heads = 2, causal = true }) end
local tokens = nas.randn({ 2, 3, 4 }, { stream = "tokens" })
local model = nas.model(causal)
local before = model(tokens):totable()
local later = tokens:totable()
later[1][3] = { 9, 9, 9, 9 }
local after = model(nas.tensor(later)):totable()
expect.equal(after[1][2], before[1][2])
expect.is_true(after[1][3][1] ~= before[1][3][1])
local drawn = outputs(function(x)
  return causal(nn.reshape(nn.conv2d(x, 4, { kernel = 1 }), { 0, x.height * x.width, 4 }))
end)
expect.equal(#drawn.shape, 3)

-- MARK: a network with constants is saved and read again

local space = nas.space {
  which = nas.oneof { 1, 2 },
  build = function(arch, x, task) return nn.linear(nn.global_avg_pool(x) * f, task.classes) end,
}
local network = nas.network(space:make { which = 1 }, { data = data })
local again = nas.network(space:make { which = 2 }, { data = data })
again:load(network:save() .. "/weights.safetensors")
expect.equal(again:evaluate(data), network:evaluate(data))

-- MARK: what can't be a constant, or an operand

expect.raises("a tensor with a gradient can't be part of a network: expected constant numbers, or nn.parameter", function()
  outputs(function(x) return x * nas.tensor({ 1 }, { requires_grad = true }) end)
end)
expect.raises("wrong operands of '+': expected a Value and a Value, a Tensor or a number, got a Value + the text \"1\"",
  function() outputs(function(x) return x + "1" end) end)
expect.raises("wrong operands of '^': expected a Value to the power of a number, as in x ^ 2", function()
  outputs(function(x) return x ^ x end)
end)
expect.raises("nas.nn.relu: wrong input: expected a value of nas.nn, such as x, got nil", function()
  outputs(function() return nn.relu(nil) end)
end)

-- Two choices of the same options: each needs a scope.
local function twice(wrap)
  return nas.space {
    a = nas.oneof { "x" },
    b = nas.oneof { "x" },
    build = function(arch, x, about)
      local ops = { x = function() return nas.nn.linear(nas.nn.flatten(x), about.classes) end }
      return wrap("first", function() return nas.nn.choice(arch.a, ops) end)
        + wrap("second", function() return nas.nn.choice(arch.b, ops) end)
    end,
  }
end
local task_of_choices = { input = { 4, 4, 1 }, classes = 2 }
expect.raises(
  "x: a scope can't have a path that a scope has already. Give one of them another name; two nn.choice of the same "
    .. "options: wrap each in an nn.scope of its own.",
  function() nas.network(twice(function(_, fn) return fn() end):random(), task_of_choices) end)
expect.equal(nas.network(twice(nas.nn.scope):random(), task_of_choices).params, 2 * (16 * 2 + 2))
