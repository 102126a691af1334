-- Ops that choose, order, resize and compare, on tensors: values, gradients of both orders, and their errors.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local function same(tensor, wanted) expect.equal(tensor:totable(), wanted) end

local function close(tensor, wanted, tolerance)
  local difference = nn.reduce_max(nn.abs(nn.sub(tensor, wanted))):item()
  expect.is_true(difference <= tolerance, ("off by %g"):format(difference))
end

--- First and second derivatives of `Σ w · f(x)³` in a direction against differences, which are exact where f is linear.
local function check_derivatives(fn, values, step, tolerance)
  local weights = nas.rand(fn(nas.tensor(values)).shape)
  local function cubic(x)
    local y = fn(x)
    return nn.sum(weights * y * y * y)
  end
  local x = nas.tensor(values, { requires_grad = true })
  local v = nas.rand(x.shape)
  local first = nas.grad(cubic(x), { x }, { create_graph = true })[1]
  local slope = nn.sum(first * v)
  local second = nas.grad(slope, { x })[1]

  --- The function's value and its gradient some steps away.
  local function at(steps)
    local there = nas.tensor((x + v * (steps * step)):totable(), { requires_grad = true })
    local loss = cubic(there)
    return loss:item(), nas.grad(loss, { there })[1]
  end
  local above, gradient_above = at(1)
  local below, gradient_below = at(-1)
  local difference = (8 * (above - below) - (at(2) - at(-2))) / (12 * step)
  expect.near(difference, slope:item(), tolerance * math.max(1, math.abs(slope:item())))
  local size = math.max(1, nn.reduce_max(nn.abs(second)):item())
  close((gradient_above - gradient_below) / (2 * step), second, tolerance * size)
end

local a = nas.tensor { { 3, 1, 2 }, { 4, 6, 5 } }
local numbers = { { 3, 1, 2, 0.5 }, { 4, -1, 5, 2 }, { 0, 7, -2, 1 } }

expect.raises("wrong value for the option 'axes' of sum: expected a list of whole numbers, got [1.5]", function()
  nn.sum(a, { axes = { 1.5 } })
end)

-- MARK: gather

same(nn.gather(a, nas.tensor { { 1, 3 }, { 2, 2 } }), { { 3, 2 }, { 6, 6 } })
same(nn.gather(a, nas.tensor { { 2, 1, 2 } }, { axis = 1 }), { { 4, 1, 5 } })
-- An extent of 1 is repeated: whole rows, whole columns.
same(nn.gather(a, nas.tensor { { 2 }, { 2 }, { 1 } }, { axis = 1 }), { { 4, 6, 5 }, { 4, 6, 5 }, { 3, 1, 2 } })
same(nn.gather(a, nas.tensor { { 3, 1 } }), { { 2, 3 }, { 5, 4 } })
check_derivatives(function(x) return nn.gather(x, nas.tensor { { 1, 1, 4 }, { 2, 3, 2 }, { 4, 4, 4 } }) end, numbers, 0.25, 1e-4)
expect.raises("expected a whole number from 1 to 3, got 0. Indices count from 1.", function()
  nn.gather(a, nas.tensor { { 0 }, { 1 } })
end)
for _, wrong in ipairs { 4, -1, 1.5, 1e30, -1e30 } do
  expect.raises("there is no element of this index: expected a whole number from 1 to 3", function()
    nn.gather(a, nas.tensor { { wrong }, { 1 } })
  end)
end
expect.raises("gather: there is no element of this index", function()
  nn.gather(a, nn.log(nas.tensor { { -1 }, { 1 } }))
end)
expect.raises("the indices have another number of axes: expected 2, as [2, 3], got [2]", function()
  nn.gather(a, nas.tensor { 1, 2 })
end)
expect.raises("the indices don't fit: expected [2, 3], or extents of 1, beside axis 2, got [3, 1]", function()
  nn.gather(a, nas.tensor { { 1 }, { 1 }, { 1 } })
end)
expect.raises("there is no such axis: expected 1 to 2, or -1 for the last, of [2, 3], got 3", function()
  nn.gather(a, nas.tensor { { 1 }, { 1 } }, { axis = 3 })
end)

-- MARK: embedding, one_hot

-- A model that calls itself: each call counts names from 1, the outer one where it was.
local leaf, tree = nas.ones { 1, 2 }, nil
tree = nas.model(function(node)
  return nn.linear(nn.linear(type(node) == "table" and tree(node[1]) + tree(node[2]) or node, 2), 2)
end, { stream = "tree" })
tree { { leaf, leaf }, leaf }
expect.equal(#tree:parameters(), 4)

local words = nas.model(function(x) return nn.embedding(x, 4, 2, { name = "words" }) end)
expect.equal(words(nas.tensor { { 1, 4, 1 }, { 2, 2, 3 } }).shape, { 2, 3, 2 })
local table_of_words = words:parameters()[1]
expect.equal(table_of_words.name, "words/weight")
expect.equal(table_of_words.shape, { 4, 2 })
table_of_words:set { { 1, 10 }, { 2, 20 }, { 3, 30 }, { 4, 40 } }
same(words(nas.tensor { { 1, 4 } }), { { { 1, 10 }, { 4, 40 } } })
nn.sum(words(nas.tensor { 2, 1, 2 })):backward()
same(table_of_words.grad, { { 1, 1 }, { 2, 2 }, { 0, 0 }, { 0, 0 } })
-- The gradient of a gradient by the table: of Σ w², 2 at every use.
local used = words(nas.tensor { 2, 1, 2 })
local slope = nas.grad(nn.sum(used * used), { table_of_words }, { create_graph = true })[1]
same(slope, { { 2, 20 }, { 8, 80 }, { 0, 0 }, { 0, 0 } })
same(nas.grad(nn.sum(slope), { table_of_words })[1], { { 2, 2 }, { 4, 4 }, { 0, 0 }, { 0, 0 } })
expect.raises("expected a whole number from 1 to 4, got 5", function() words(nas.tensor { 5 }) end)
expect.raises("wrong input shape: expected [N, …], got []", function() words(nas.tensor(1)) end)
expect.raises("has parameters, which only a model or a build can hold", function() nn.embedding(a, 6, 2) end)
expect.raises("embedding needs the option 'size'", function()
  nas.model(function(x) return nn.embedding(x, 6) end)(a)
end)
expect.raises("the weight is too large: expected at most 268435456 elements, got [16777216, 65536]", function()
  nas.model(function(x) return nn.embedding(x, 16777216, 65536) end)(a)
end)

same(nn.one_hot(nas.tensor { 1, 3 }, 3), { { 1, 0, 0 }, { 0, 0, 1 } })
same(nn.one_hot(nas.tensor(2), 3), { 0, 1, 0 })
expect.raises("expected a whole number from 1 to 2, got 3", function() nn.one_hot(nas.tensor { 3 }, 2) end)
expect.raises("one_hot needs the option 'classes': expected a whole number from 1 to 65536", function()
  nn.one_hot(nas.tensor { 3 })
end)

-- MARK: sort, argsort, top_k

same(nn.sort(a), { { 1, 2, 3 }, { 4, 5, 6 } })
same(nn.sort(a, { axis = 1, descending = true }), { { 4, 6, 5 }, { 3, 1, 2 } })
same(nn.argsort(a), { { 2, 3, 1 }, { 1, 3, 2 } })
local ties = nas.tensor { 2, 1, 2, 1 }
same(nn.argsort(ties), { 2, 4, 1, 3 })
same(nn.argsort(ties, { descending = true }), { 1, 3, 2, 4 })
local not_a_number = nn.log(nas.tensor { 1, -1, 2 })
same(nn.argsort(not_a_number), { 1, 3, 2 })
same(nn.argsort(not_a_number, { descending = true }), { 3, 1, 2 })
check_derivatives(nn.sort, numbers, 0.05, 1e-3)
check_derivatives(function(x) return nn.sort(x, { axis = 1, descending = true }) end, numbers, 0.05, 1e-3)

local values, positions = nn.top_k(a, 2)
same(values, { { 3, 2 }, { 6, 5 } })
same(positions, { { 1, 3 }, { 2, 3 } })
same(nn.top_k(a, 1, { axis = 1, smallest = true }), { { 3, 1, 2 } })
check_derivatives(function(x) return (nn.top_k(x, 2)) end, numbers, 0.05, 1e-3)
expect.raises("nn.top_k: k is too large: expected at most 3, got 4", function() nn.top_k(a, 4) end)
expect.raises("nn.top_k: wrong x: expected a Value or a Tensor, got 3", function() nn.top_k(3, 4) end)

-- MARK: split, concat, softmax over any axis

local left, right = nn.split(a, { 1, 2 })
same(left, { { 3 }, { 4 } })
same(right, { { 1, 2 }, { 6, 5 } })
same(nn.concat(left, right), a:totable())
same(nn.concat(nn.split(a, 2, { axis = 1 })), { { 3, 1, 2, 4, 6, 5 } })
same(nn.concat(a, nas.zeros { 1, 3 }, { axis = 1 }), { { 3, 1, 2 }, { 4, 6, 5 }, { 0, 0, 0 } })
check_derivatives(function(x)
  local first, second = nn.split(x, 2)
  return nn.concat(second, first * 2, { axis = 1 })
end, numbers, 0.25, 1e-4)
expect.raises("nn.split: the parts must be equal: expected a divisor of 3, got 2. Or give a list of their sizes.", function()
  nn.split(a, 2)
end)
expect.raises("nn.split: the sizes don't fill the axis: expected a sum of 3, got 2", function() nn.split(a, { 1, 1 }) end)
expect.raises("nn.split: wrong size: expected a whole number from 1, got 0", function() nn.split(a, { 3, 0 }) end)
expect.raises("nn.split: there is no such axis: expected 1 to 2, or -1 for the last, of [2, 3], got 0", function()
  nn.split(a, 3, { axis = 0 })
end)
expect.raises("concat: input 2 has another shape beside axis 2: expected [2, 3], got [1, 3]", function()
  nn.concat(a, nas.zeros { 1, 3 })
end)

close(nn.sum(nn.softmax(a, { axis = 1 }), { axes = { 1 } }), nas.ones { 3 }, 1e-6)
close(nn.exp(nn.log_softmax(a, { axis = 1 })), nn.softmax(a, { axis = 1 }), 1e-6)
check_derivatives(function(x) return nn.softmax(x * 0.3, { axis = 1 }) end, numbers, 0.05, 1e-3)
check_derivatives(function(x) return nn.log_softmax(x * 0.3, { axis = 1 }) end, numbers, 0.05, 1e-2)

-- MARK: resize

local image = nas.tensor { { { { 1 }, { 2 } }, { { 3 }, { 4 } } } }
local doubled = { { { { 1 }, { 1 }, { 2 }, { 2 } }, { { 1 }, { 1 }, { 2 }, { 2 } } } }
same(nn.slice(nn.resize(image, { scale = 2 }), { axis = 2, start = 1, stop = 2 }), doubled)
same(nn.resize(image, { height = 1, width = 3, method = "bilinear", align_corners = true }), { { { { 1 }, { 1.5 }, { 2 } } } })
for _, options in ipairs {
  { scale = 1.5 }, { height = 3, width = 5, method = "bilinear" }, { height = 1, width = 1, method = "bilinear" },
  { height = 3, width = 5, method = "bilinear", align_corners = true },
} do
  check_derivatives(function(x) return nn.resize(x, options) end, { { { { 1, 5 }, { 2, -2 } }, { { 3, 1 }, { 4, 0 } } } }, 0.25, 1e-4)
end
local size = "resize: wrong size: expected height and width from 1, or a scale that leaves pixels, got "
expect.raises(size .. "height 0, width 0, scale 0", function() nn.resize(image) end)
expect.raises(size .. "height 3, width 0, scale 0", function() nn.resize(image, { height = 3 }) end)
expect.raises(size .. "height 3, width 3, scale 2", function() nn.resize(image, { height = 3, width = 3, scale = 2 }) end)
expect.raises(size .. "height 0, width 0, scale 0.1", function() nn.resize(image, { scale = 0.1 }) end)
expect.raises([[wrong value for the option 'method' of resize: expected "nearest" or "bilinear", got "cubic"]], function()
  nn.resize(image, { scale = 2, method = "cubic" })
end)
expect.raises("resize: align_corners is for bilinear", function() nn.resize(image, { scale = 2, align_corners = true }) end)
expect.raises("resize: wrong input shape: expected [N, H, W, C], got [2, 3]", function() nn.resize(a, { scale = 2 }) end)

-- MARK: cross_entropy

local logits = nas.tensor { { 0, 0, math.log(2) }, { 1, 1, 1 } }
local labels = nas.tensor { 3, 1 }
expect.near(nn.cross_entropy(logits, labels):item(), (math.log(2) + math.log(3)) / 2, 1e-6)
local hot = nn.one_hot(labels, 3)
for _, smoothing in ipairs { 0, 0.3 } do
  local by_labels = nn.cross_entropy(logits, labels, { label_smoothing = smoothing }):item()
  expect.near(nn.cross_entropy(logits, hot, { label_smoothing = smoothing }):item(), by_labels, 1e-6)
end
local choices = nas.tensor { 1, 4, 2 }
for _, target in ipairs { choices, nn.softmax(nas.tensor(numbers)) } do
  check_derivatives(function(x) return nn.cross_entropy(x, target, { label_smoothing = 0.1 }) end, numbers, 0.02, 1e-2)
end
expect.raises("label 2 of the batch is out of range: expected a whole number from 1 to 3, got 0", function()
  nn.cross_entropy(logits, nas.tensor { 3, 0 })
end)
expect.raises("the target doesn't fit: expected labels [N] or probabilities [N, 3], got [2, 1]", function()
  nn.cross_entropy(logits, nas.tensor { { 3 }, { 1 } })
end)
expect.raises("batches of different sizes: expected [2, 3], got [3]", function()
  nn.cross_entropy(logits, nas.tensor { 3, 1, 2 })
end)

-- MARK: in a network

local space = nas.space {
  width = nas.oneof { 6 },
  build = function(arch, x, task)
    x = nn.conv2d(x, arch.width, { kernel = 3 })
    local top, bottom = nn.split(x, { 2, x.height - 2 }, { axis = 2 })
    x = nn.concat(bottom, nn.resize(top, { scale = 1 }), { axis = 2 })
    local best = nn.top_k(x, 3)
    return nn.linear(nn.global_avg_pool(best), task.classes)
  end,
}
expect.equal(space:random():cost({ input = { 8, 8, 3 }, classes = 10 }).params, 3 * 6 * 9 + 3 * 10 + 10)
local function refused(part, body)
  local bad = nas.space { unused = nas.oneof { 1 }, build = function(_, x) return body(x) end }
  expect.raises(part, function() bad:random():cost { input = { 8, 8, 3 }, classes = 10 } end)
end
refused("nn.split: the batch can't be the axis: expected 2 to 4, got 1", function(x) return nn.split(x, 2, { axis = 1 }) end)
refused("concat: the batch can't be the axis", function(x) return nn.concat(x, x, { axis = 1 }) end)
refused("softmax: the batch can't be the axis: expected an axis of a sample, got 1", function(x)
  return nn.softmax(x, { axis = 1 })
end)

-- MARK: sizes that no memory holds

local huge = math.maxinteger
local too_large = "is too large: expected at most 268435456 elements"
for _, case in ipairs {
  { "pad: wrong padding: expected 2 numbers from 0 to 65536", function() nn.pad(a, { huge, 0 }, { huge, 0 }) end },
  { too_large, function() nn.pad(a, { 65536, 65536 }, { 0, 0 }) end },
  { "the shape doesn't fit", function() nn.reshape(a, { huge, huge }) end },
  { "the shape doesn't fit", function() nn.reshape(a, { -1, huge, 4 }) end },
  { too_large, function() nn.resize(image, { height = 65536, width = 65536 }) end },
  { too_large, function() nn.one_hot(nas.zeros { 4096, 4096 }, 65536) end },
  { too_large, function() nn.add(nas.zeros { 65536, 1 }, nas.zeros { 1, 65536 }) end },
  { too_large, function() nas.model(function(x) return nn.linear(x, 65536) end)(nas.zeros { 1, 65536 }) end },
  { "from 1 to 16777216, got 9223372036854775807", function()
    nas.model(function(x) return nn.embedding(x, huge, 1) end)(a)
  end },
  { "k is too large", function() nn.top_k(a, huge) end },
} do
  expect.raises(case[1], case[2])
end

-- MARK: losses are means over the first axis, whatever made the tensor

-- softmax(0, 0, 0) is a third each, so that KL(p || q) of the rows below is Σ p log p + log 3 and −(Σ log q) / 3 − log 3.
local function softmax_of(row)
  local powers, total = {}, 0
  for i, logit in ipairs(row) do
    powers[i] = math.exp(logit)
    total = total + powers[i]
  end
  for i = 1, #row do powers[i] = powers[i] / total end
  return powers
end
local p, q = softmax_of { 3, 1, -1 }, softmax_of { 1, 2, 3 }
local first, second = -math.log(3), math.log(3)
for i = 1, 3 do
  first, second = first - math.log(q[i]) / 3, second + p[i] * math.log(p[i])
end
local logits, teacher = nas.tensor { { 1, 2, 3 }, { 0, 0, 0 } }, nas.tensor { { 0, 0, 0 }, { 3, 1, -1 } }
local function pooled(rows) return nn.global_avg_pool(nn.reshape(rows, { 2, 1, 1, 3 })) end
expect.near(nn.kl_divergence(logits, teacher):item(), (first + second) / 2, 1e-6)
expect.near(nn.kl_divergence(pooled(logits), pooled(teacher)):item(), (first + second) / 2, 1e-6)
expect.near(nn.kl_divergence(pooled(logits), teacher):item(), (first + second) / 2, 1e-6)
expect.near(nn.kl_divergence(nas.tensor { 1, 2, 3 }, nas.tensor { 0, 0, 0 }):item(), first, 1e-6)

-- MARK: a class that is ruled out by a logit of −∞ adds nothing

local masked = nas.tensor({ { 1, 2, -math.huge } }, { requires_grad = true })
expect.near(nn.cross_entropy(masked, nas.tensor { 1 }):item(), math.log(1 + math.exp(1)), 1e-6)
expect.near(nn.cross_entropy(masked, nas.tensor { { 1, 0, 0 } }):item(), math.log(1 + math.exp(1)), 1e-6)
expect.equal(nn.cross_entropy(masked, nas.tensor { 3 }):item(), math.huge)
local s = 1 / (1 + math.exp(-1))
for _, target in ipairs { nas.tensor { 1 }, nas.tensor { { 1, 0, 0 } } } do
  local by_logits = nas.grad(nn.cross_entropy(masked, target), { masked })[1]:totable()[1]
  expect.near(by_logits[1], -s, 1e-6)
  expect.near(by_logits[2], s, 1e-6)
  expect.equal(by_logits[3], 0)
end
local even = nas.tensor { { 0, 0, -math.huge } }
expect.near(nn.kl_divergence(masked, even):item(), -math.log(1 - s) / 2 - math.log(s) / 2 - math.log(2), 1e-6)
expect.near(nas.grad(nn.kl_divergence(masked, even), { masked })[1]:totable()[1][2], s - 0.5, 1e-6)

-- MARK: errors of indices name the op, in a model its path too

expect.raises("one_hot: there is no element of this index: expected a whole number from 1 to 3, got 5", function()
  nn.one_hot(nas.tensor { 1, 5 }, 3)
end)
local words = nas.model(function(x)
  return nn.scope("words", function() return nn.embedding(x, 4, 2) end)
end)
expect.raises("words/embedding1: embedding: there is no element of this index: expected a whole number from 1 to 4, got 5",
  function() words(nas.tensor { 1, 5 }) end)

-- MARK: axes are there, and once

expect.raises("mean: an axis is given twice: expected each axis of [2, 3] once, got -2", function()
  nn.mean(a, { axes = { 1, -2 } })
end)
expect.raises("softmax: a single number has no axes: expected [N] or more axes, got []", function()
  nn.softmax(nas.tensor(3))
end)
expect.raises("sort: a single number has no axes", function() nn.sort(nas.tensor(3)) end)
expect.raises("nn.split: wrong argument 2 ('parts'): expected how many equal parts, or a list of their sizes, got a table "
  .. "with names", function() nn.split(a, { axis = 1, sizes = { 1, 1 } }) end)
expect.raises("nas.nn.relu: wrong input: expected a Tensor, got nil", function() nn.relu(nil) end)
expect.raises("nas.nn.relu: wrong input: expected a Tensor, got nothing", function() nn.relu() end)

-- MARK: draws from rows of any tensor, from a stream of one's own

local sharp = nas.tensor { { 0, -100, -100 }, { -100, -100, 0 } }
expect.equal(nn.categorical(sharp):totable(), { 1, 3 })
expect.equal(nn.categorical(nn.reshape(sharp, { 1, 2, 3 })):totable(), { { 1, 3 } })
expect.equal(nn.categorical(nas.tensor { -100, 0 }):item(), 2)
expect.equal(nn.categorical(nas.tensor { -1 / 0, 0, -1 / 0 }):item(), 2)
expect.raises("categorical: no draw from such logits: expected numbers or -inf, at least one of them finite, got nan at "
  .. "position 2 of row 2", function() nn.categorical(nas.tensor { { 1, 2 }, { 1, 0 / 0 } }) end)
expect.raises("got inf at position 1", function() nn.categorical(nas.tensor { 1 / 0, 0 / 0 }) end)
expect.raises("got -inf alone", function() nn.categorical(nas.tensor { -1 / 0, -1 / 0 }) end)
local function draws(stream) return nn.random_uniform(nas.zeros { 4 }, { stream = stream }):totable() end
local one, other = nas.stream "noise", draws "other"
local first_draws = draws(one)
expect.is_true(first_draws[1] ~= draws(one)[1], "a stream goes on")
expect.is_true(first_draws[1] ~= other[1], "streams differ")
expect.raises("nas.nn.random_uniform: wrong option 'stream': expected a name or a Stream", function()
  nn.random_uniform(a, { stream = 3 })
end)
expect.raises("relu has no option 'stream'", function() nn.relu(a, { stream = "x" }) end)
local counts = { 0, 0, 0 }
for _ = 1, 4000 do
  local position = one:categorical { 1, 0, 3 }
  counts[position] = counts[position] + 1
end
expect.equal(counts[2], 0)
-- Five standard errors of a draw with probability 1/4.
expect.near(counts[1] / 4000, 0.25, 5 * math.sqrt(0.25 * 0.75 / 4000))
expect.raises("stream:categorical: wrong weights: expected numbers from 0, not all 0, with a finite sum, got -1", function()
  one:categorical { 1, -1 }
end)
expect.raises("got a sum of 0.0", function() one:categorical { 0, 0 } end)

-- MARK: long tensors print their edges

local _, lines = tostring(nas.zeros { 100, 10 }):gsub("\n", "")
expect.equal(lines, 7)
_, lines = tostring(nas.zeros { 8, 4, 16, 16 }):gsub("\n", "")
expect.equal(lines, 1 + 4 * 7 + 1 + 2 - 1)
expect.equal(tostring(nas.tensor { 0 / 0, -(0 / 0), math.huge }), "Tensor {3}\n[      nan       nan       inf]")
