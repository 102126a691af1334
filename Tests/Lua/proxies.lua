-- Probes of networks and the zero-cost proxies of the library.

local nas = require "nas"
local expect = require "expect"
local references = require "references.proxies"
local nn = nas.nn

-- MARK: proxies against PyTorch

local side, classes = 16, 5

local function batch(name, first)
  local labels = {}
  for index = 1, 12 do labels[index] = (3 * (index - 1) + first) % classes + 1 end
  return nas.data.batch(nas.randn({ 12, side, side, 3 }, { stream = "images/" .. name }), labels)
end

local function network(reference)
  local space = nas.spaces.nasbench201 { channels = reference.channels, cells = 1 }
  return nas.network(space:parse(reference.cell), { input = { side, side, 3 }, classes = classes, stream = "test" })
end

-- These divide by, or subtract, what nearly cancels: the spread of two gradients, a Hessian's product.
local tolerances = { grasp = 5e-5, zico = 5e-5 }

local first, second = batch("a", 0), batch("b", 1)
for _, name in ipairs { "mixed", "thin" } do
  local reference = references[name]
  local net = network(reference)
  for proxy, wanted in pairs(reference.scores) do
    -- A sum of both signs is as exact as its terms are.
    local size = proxy == "plain" and reference.scores.snip or math.abs(wanted)
    expect.near(nas.proxies[proxy].score(net, first, second), wanted, (tolerances[proxy] or 5e-6) * size)
  end
  expect.equal(nas.proxies.params.score(net), net.params)
  expect.equal(nas.proxies.flops.score(net), net.macs)
end

-- Four lines through the origin cut the plane into eight sectors.
local lines = nas.space {
  width = nas.oneof { 4 },
  build = function(arch, x, task)
    return nn.linear(nn.relu(nn.linear(nn.flatten(x), arch.width)), task.classes)
  end,
}
local plane = nas.network(lines:make { width = 4 }, { input = { 1, 1, 2 }, classes = 2 })
expect.equal(nas.proxies.linear_regions.score(plane), 8)
expect.raises("needs a network that ends in a global pooling", function() nas.proxies.zen.score(plane) end)
expect.raises("compares batches", function() nas.proxies.zico.score(plane, first) end)

-- MARK: the sizes of NAS-Bench-201 (NAS-Bench-Suite-Zero: three digits of l2_norm, the logarithm of synflow to 1 %)

local bench = nas.spaces.nasbench201 {}
for _, row in ipairs {
  { "avg_pool_3x3 nor_conv_1x1 skip_connect nor_conv_1x1 skip_connect skip_connect", 129306, 129.49, 46.361 },
  { "nor_conv_3x3 nor_conv_3x3 avg_pool_3x3 skip_connect nor_conv_3x3 skip_connect", 802426, 180.71, 83.045 },
  { "nor_conv_3x3 nor_conv_3x3 nor_conv_3x3 nor_conv_3x3 nor_conv_3x3 nor_conv_3x3", 1531546, 333.80, 114.826 },
  { "nor_conv_3x3 nor_conv_3x3 nor_conv_3x3 skip_connect nor_conv_3x3 nor_conv_3x3", 1288506, 282.44, 114.503 },
} do
  local ops = {}
  for op in row[1]:gmatch "%S+" do ops[#ops + 1] = op end
  local arch = bench:parse(("|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|"):format(table.unpack(ops)))
  local net = nas.network(arch, { input = { 32, 32, 3 }, classes = 10 })
  expect.equal(nas.proxies.params.score(net), row[2])
  expect.near(nas.proxies.l2_norm.score(net), row[3], 0.004 * row[3])
  expect.near(nas.proxies.synflow.score(net), row[4], 0.01 * row[4])
end
local nothing = bench:parse "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
expect.equal(nas.proxies.synflow.score(nas.network(nothing, { input = { 8, 8, 3 }, classes = 10 })), -math.huge)

-- MARK: probes

local function total(tensor) return nn.sum(tensor):item() end

--- The largest difference of two tensors, relative to the second's largest element.
local function difference(a, b)
  local function largest(x) return nn.reduce_max(nn.abs(x)):item() end
  return largest(a - b) / math.max(1e-6, largest(b))
end

local net = network(references.mixed)
local before = net:probe { batch = first, bn = "running" }
local whole = net:probe {
  batch = first, loss = "sum", wrt = { "input", "parameters", "activations" }, capture = "*/relu*",
}
expect.equal(#whole.activations, 14)
expect.near(whole.loss, total(whole.outputs), 1e-4)
expect.equal(whole.activations[1].path, "stage1_cell1/edge0_1/nor_conv_3x3/relu1")
expect.equal(whole.activations[1].gradient.shape, { 12, 16, 16, 4 })
expect.equal(whole.parameters[#whole.parameters].path, "head/linear1/bias")
expect.equal(whole.parameters[#whole.parameters].gradient:totable(), { 12, 12, 12, 12, 12 })
expect.equal(whole.input:totable()[1], first.images:totable()[1])
expect.equal(net:probe({ batch = first, bn = "running" }).loss, before.loss)

-- The gradients of the samples' own losses add up to that of the whole.
for _, bn in ipairs { "batch", "running", "bypass" } do
  for _, loss in ipairs { "sum", "cross_entropy" } do
    local options = { batch = first, loss = loss, bn = bn, wrt = "weights" }
    local together = net:probe(options)
    options.per_sample = true
    local apart = net:probe(options)
    expect.near(apart.loss, together.loss, 1e-4)
    expect.equal(apart.weights[2].gradient.shape, { 12, 3, 3, 4, 4 })
    for index, weight in ipairs(together.weights) do
      local sum = nn.sum(apart.weights[index].gradient, { axes = { 1 } })
      expect.near(difference(loss == "sum" and sum or sum / 12, weight.gradient), 0, 2e-5)
    end
  end
end
local by = { batch = first, loss = "sum", bn = "running", wrt = { "input", "activations" }, capture = "linear" }
local joint = net:probe(by)
by.per_sample = true
local own = net:probe(by)
expect.near(difference(own.input_gradient, joint.input_gradient), 0, 1e-5)
expect.equal(own.activations[1].gradient:totable(), joint.activations[1].gradient:totable())
expect.near(difference(own.outputs, joint.outputs), 0, 1e-5)

-- Scaling changes nothing but exponents.
local options = { batch = "ones", loss = "sum", bn = "bypass", weights = "absolute", wrt = "weights", capture = "relu" }
local plain = net:probe(options)
options.scaled = true
local scaled = net:probe(options)
expect.near(scaled.loss * 2.0 ^ scaled.exponent / plain.loss, 1, 1e-6)
for index, weight in ipairs(scaled.weights) do
  expect.equal(weight.value:totable(), plain.weights[index].value:totable())
  expect.near(difference(weight.gradient * 2.0 ^ weight.gradient_exponent, plain.weights[index].gradient), 0, 1e-5)
end
for index, layer in ipairs(scaled.activations) do
  expect.near(difference(layer.value * 2.0 ^ layer.value_exponent, plain.activations[index].value), 0, 1e-5)
end

-- The Hessian by given directions, and against differences of gradients.
local curved = net:probe { batch = first, wrt = "weights", hessian = "gradient" }
local directions = {}
for index, weight in ipairs(curved.weights) do directions[index] = weight.gradient end
local given = net:probe { batch = first, wrt = "weights", hessian = directions }
for index, weight in ipairs(curved.weights) do
  expect.near(difference(given.weights[index].product, weight.product), 0, 1e-6)
end

-- MARK: mistakes

local function probing(part, options)
  options.batch = options.batch or first
  expect.raises(part, function() net:probe(options) end)
end
probing("nothing in the network is called 'stem/conv'", { capture = "stem/conv" })
probing("unknown gradient by 'weight'", { wrt = "weight" })
probing("needs a label for each sample", { batch = first.images })
probing("1 to 5", { batch = first.images, labels = { 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6 } })
probing("wrong label 1", { batch = first.images, labels = { 0 } })
probing("[n, 16, 16, 3], got [2, 3]", { batch = nas.ones { 2, 3 }, loss = "sum" })
probing("bn = \"bypass\" with scaled", { scaled = true })
probing("wrt = \"weights\"", { hessian = "gradient" })
probing("don't fit the weights", { wrt = "weights", hessian = { nas.ones { 1 } } })
local wrong = {}
for index, direction in ipairs(directions) do wrong[index] = direction end
wrong[1] = nas.ones { 3, 3, 4, 3 }
probing("[3, 3, 3, 4] for weight 1, got [3, 3, 4, 3]", { wrt = "weights", hessian = wrong })
probing("unknown option 'captures'", { captures = "relu" })
probing('"ones" or "normal"', { batch = "zeros" })
expect.raises("needs to know its task", function() nas.network(bench:random(), { classes = 3 }) end)
expect.raises("a label for each image", function() nas.data.batch(nas.ones { 2, 3 }, { 1 }) end)

-- MARK: a search by proxies

local shapes = nas.data.open("shapes", { valid = 0.2, limit = 200 })
local mine = nas.proxy { name = "depth", score = function(network) return network.macs / network.params end }
local result = nas.search {
  space = nas.spaces.nasbench201 { channels = 4, cells = 1 },
  strategy = nas.strategies.random {},
  evaluate = nas.evaluators.proxy { proxies = { "naswot", "zico", mine }, data = shapes, batch = 8 },
  objectives = { { "naswot", "max" }, { "params", "min" } },
  stop = { trials = 4 },
}
for _, trial in ipairs(result.trials) do
  local network = trial.arch:network(shapes)
  expect.equal(trial.metrics.depth, network.macs / network.params)
  expect.equal(trial.metrics.zico ~= nil, true)
end
expect.raises(
  "the proxy 'unscored' returned no score: expected a number, got nil. End its `score` function with `return …`.",
  function() nas.proxy { name = "unscored", score = function() end }.score(plane) end)
expect.raises("the proxy 'unscored' returned no score: expected a number, got the text \"high\"", function()
  nas.proxy { name = "unscored", score = function() return "high" end }.score(plane)
end)
expect.raises("Take the number of a tensor by :item().", function()
  nas.proxy { name = "unscored", score = function() return nas.tensor { 1 } end }.score(plane)
end)
local trains = nas.proxy {
  name = "trains",
  score = function(network)
    network:fit { data = shapes, epochs = 1, batch = 8 }
    return 1
  end,
}
expect.raises(
  "the proxy 'trains' changed the network's weights: expected a network that stays as it is. Train another one: "
    .. "network:fresh().",
  function()
    local failed = nas.search {
      space = lines, strategy = nas.strategies.listed { lines:make { width = 4 } }, objectives = { { "trains", "max" } },
      evaluate = nas.evaluators.proxy { proxies = { trains }, data = shapes, batch = 8 },
    }.trials[1].failed
    error(failed, 0)
  end)
expect.raises(
  "nas.evaluators.proxy: proxies 1 and 3 are both called 'naswot'. The metrics have the proxies' names: give each its own.",
  function() nas.evaluators.proxy { proxies = { "naswot", mine, nas.proxies.naswot }, data = shapes } end)
expect.raises("nas.evaluators.proxy: no proxies: expected a list: proxies = { \"naswot\", … }, got an empty list",
  function() nas.evaluators.proxy { proxies = {}, data = shapes } end)
expect.raises("wrong proxy 1", function() nas.evaluators.proxy { proxies = { print }, data = shapes } end)
expect.raises("there is no nas.proxies.snipe", function()
  nas.evaluators.proxy { proxies = { "snipe" }, data = shapes }
end)

-- MARK: linear algebra

local linalg = nas.linalg
local m = linalg.matrix { { 2, 1 }, { 1, 3 } }
expect.equal({ m.rows, m.columns, m:at(2, 2), #m }, { 2, 2, 3, 2 })
expect.equal(linalg.transpose({ { 1, 2, 3 } }):totable(), { { 1 }, { 2 }, { 3 } })
expect.equal((m * 2 + m - 1 / m):totable()[1], { 5.5, 2 })
expect.equal(linalg.matmul(m, { 1, 2 }):totable(), { { 4 }, { 7 } })
expect.equal(linalg.matmul(linalg.identity(2), m):totable(), m:totable())
expect.near(linalg.solve(m, { 4, 7 }):at(2, 1), 2, 1e-15)
local solution, rank = linalg.lstsq({ { 1, 1 }, { 1, 1 } }, { 1, 3 })
expect.near(solution:at(1, 1), 1, 1e-15)
expect.equal(rank, 1)
local values, vectors = linalg.eigh(m)
expect.near(values[1], (5 - 5 ^ 0.5) / 2, 1e-15)
expect.near(linalg.matmul(m, vectors):at(1, 2), values[2] * vectors:at(1, 2), 1e-14)
expect.near(linalg.svd({ { 3, 0 }, { 4, 0 } })[1], 5, 1e-15)
local sign, logarithm = linalg.slogdet { { 0, 2 }, { 3, 0 } }
expect.equal(sign, -1.0)
expect.near(logarithm, math.log(6), 1e-15)
expect.near(linalg.cholesky(m):at(2, 1), 1 / 2 ^ 0.5, 1e-15)
expect.near(linalg.corrcoef({ { 1, 2, 4 }, { -1, -2, -4 } }):at(1, 2), -1, 1e-15)
expect.is_true(not linalg.corrcoef({ { 1, 1 }, { 1, 2 } }):is_finite())
expect.equal(linalg.gram({ nas.ones { 2, 3, 4 }, nas.ones { 2, 5 } }):totable(), { { 17, 17 }, { 17, 17 } })
expect.equal(linalg.matrix(nas.ones { 2, 3, 4 }).columns, 12)
expect.is_true(tostring(linalg.identity(30)):find("Matrix 30 × 30", 1, true) ~= nil)
expect.raises("row 2 of the matrix is wrong", function() linalg.matrix { { 1, 2 }, { 3 } } end)
expect.raises("at least one row", function() linalg.matrix {} end)
expect.raises("expected a number, got the text", function() linalg.matrix { { 1, "x" } } end)
expect.raises("a Matrix, a table of rows, or a Tensor", function() linalg.matrix(3) end)
expect.raises("1 to 2, 1 to 2", function() m:at(3, 1) end)
expect.raises("matrices of different sizes", function() return m + linalg.identity(3) end)
expect.raises("eigh: the matrix isn't square: expected n × n, got 1 × 2", function() linalg.eigh { { 1, 2 } } end)
expect.raises("is singular", function() linalg.solve({ { 1, 1 }, { 1, 1 } }, { 1, 1 }) end)
expect.raises("not positive definite", function() linalg.cholesky { { -1 } } end)
expect.raises("different first axes", function() linalg.gram { nas.ones { 2, 3 }, nas.ones { 3, 3 } } end)
expect.raises("at most", function() linalg.identity(1000000000) end)

-- Matrices that are dropped give their memory back.
for _ = 1, 100 do expect.equal(linalg.identity(2048).rows, 2048) end

-- MARK: options of network:probe that need another one

for text, options in pairs {
  ["agreement has no effect without capture"] = { agreement = true },
  ['at = "input" has no effect without capture'] = { at = "input" },
  ['wrt = "activations" has no effect without capture'] = { wrt = "activations" },
  ["per_sample has no effect without wrt"] = { per_sample = true },
  ['size has no effect without batch = "ones" or "normal"'] = { size = 2, batch = nas.ones { 2, 1, 1, 2 } },
} do
  options.batch, options.loss = options.batch or "ones", "sum"
  expect.raises("network:probe: " .. text, function() plane:probe(options) end)
end
