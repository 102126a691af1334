-- Shared weights: a path is its network, what is off the path stays, sizes are slices, and slips are named.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local data = nas.data.open("shapes", { valid = 60, limit = 300, test_limit = 60 })

local function conv(x, channels, kernel) return nn.batch_norm(nn.conv2d(nn.relu(x), channels, { kernel = kernel })) end

local space = nas.space {
  width = nas.oneof { 4, 8 },
  kernel = nas.oneof { 3, 5 },
  depth = nas.int(1, 2),
  ops = nas.list(2, nas.oneof { "conv", "pool", "skip", "none" }),
  build = function(arch, x, task)
    x = nn.conv2d(x, arch.width, { kernel = arch.kernel, stride = 2, name = "stem" })
    for layer = 1, arch.depth do
      x = nn.scope("layer" .. layer, function()
        return nn.choice(arch.ops[layer], {
          conv = function() return conv(x, arch.width, 3) end,
          pool = function() return nn.avg_pool(x, { kernel = 3, stride = 1, padding = 1 }) end,
          skip = function() return x end,
          none = function() return nn.zero(x) end,
        })
      end)
    end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}

-- MARK: which decisions are paths, which are sizes

local weights = nas.weights(space, { data = data })
expect.equal(weights.open, { "ops[1]", "ops[2]" })

-- MARK: a path is its network, before and after training, for every kind of batch norm statistics

local function agree(arch)
  local path = weights:evaluate(arch, { bn = "running", batch = 20 })
  local network = weights:network(arch):evaluate(data, { batch = 20 })
  for name, value in pairs(network) do
    if path[name] ~= value then error(("%s: %s is %g on the path, %g alone"):format(arch, name, path[name], value)) end
  end
end

local archs = {}
for _ = 1, 8 do archs[#archs + 1] = space:random() end
for _, arch in ipairs(archs) do agree(arch) end
local losses = {}
for batch in data:batches { size = 40 } do
  for _, arch in ipairs(archs) do losses[#losses + 1] = weights:step(arch, batch, { lr = 0.05 }) end
end
for _, arch in ipairs(archs) do agree(arch) end
expect.equal(weights.steps, #losses)

-- MARK: running statistics of a path, gathered anew

for _, arch in ipairs(archs) do
  local scores = weights:evaluate(arch, { bn = "recalibrate", recalibrate = 3, batch = 20 })
  expect.equal(scores.loss, weights:evaluate(arch, { bn = "recalibrate", recalibrate = 3, batch = 20 }).loss)
  expect.is_true(scores.loss > 0 and scores.loss < 10)
end

-- MARK: the same steps give the same versions and losses

local again = nas.weights(space, { data = data })
local position = 0
for batch in data:batches { size = 40 } do
  for _, arch in ipairs(archs) do
    position = position + 1
    expect.equal(again:step(arch, batch, { lr = 0.05 }), losses[position])
  end
end
expect.equal(again.version, weights.version)

-- MARK: distillation: a teacher's soft labels beside the labels, or in their place

local function lesson(options)
  local learner = nas.weights(space, { data = data })
  options.lr = 0.05
  return learner:step(archs[1], data:batches { size = 40 }(), options), learner.version
end
local plain = lesson {}
local uniform = nas.zeros { 40, 10 }
expect.near(lesson { teacher = uniform, teacher_weight = 0 }, plain, 1e-6)
expect.near(lesson { teacher = uniform, teacher_weight = 0, label_weight = 0.5 }, plain / 2, 1e-6)
-- A teacher that is sure of the labels says what they say.
local sure = {}
for i, label in ipairs(data:batches { size = 40 }().labels) do
  sure[i] = {}
  for class = 1, 10 do sure[i][class] = class == label and 100 or 0 end
end
expect.near(lesson { teacher = nas.tensor(sure), label_weight = 0 }, plain, 1e-6)
expect.near(lesson { teacher = nas.tensor(sure), teacher_weight = 2 }, plain * 3, 1e-5)
-- A very high temperature makes student and teacher alike uniform: T² log 10.
expect.near(lesson { teacher = uniform, label_weight = 0, temperature = 100 } / 1e4, math.log(10), 1e-3)

local big = space:make { width = 8, kernel = 5, depth = 2, ops = { "conv", "conv" } }
local in_place, first_version = lesson { teacher = big, label_weight = 0 }
local repeated, second_version = lesson { teacher = big, label_weight = 0 }
expect.equal(repeated, in_place)
expect.equal(second_version, first_version)
local network = weights:network(big)
expect.is_true(lesson { teacher = network } > plain)
expect.raises("the teacher has another number of outputs: expected 40 × 10 logits, got 80 numbers", function()
  lesson { teacher = nas.zeros { 40, 2 } }
end)
local batch = data:batches { size = 40 }()
weights:accumulate(big, batch)
weights:accumulate(archs[2], batch, { teacher = big, label_weight = 0 })
weights:apply { lr = 0.01, count = 2 }

-- MARK: training makes it better

local course = {}
weights:fit {
  epochs = 12,
  batch = 30,
  lr = 0.05,
  paths = function() return space:make { width = 8, kernel = 3, depth = 2, ops = { "conv", "conv" } } end,
  on_epoch = function(epoch, metrics) course[epoch] = metrics.train_loss end,
}
expect.is_true(course[12] < course[1] - 0.2, ("training lowers the loss: %g to %g"):format(course[1], course[12]))

-- MARK: a function that makes the smaller parameters

--- The rule that holds without a function: leading channels, the centre of a kernel.
local function leading(full, shape)
  for axis, size in ipairs(shape) do
    local is_kernel = #shape == 4 and axis <= 2
    local start = is_kernel and (full.shape[axis] - size) // 2 + 1 or 1
    if size < full.shape[axis] then full = nn.slice(full, { axis = axis, start = start, stop = start + size - 1 }) end
  end
  return full
end

local by_rule, by_function = nas.weights(space, { data = data }), nas.weights(space, { data = data, share = leading })
expect.equal(by_function.paths, by_rule.paths)
for _, arch in ipairs(archs) do
  local batch = data:batches { size = 40 }()
  expect.near(by_function:step(arch, batch, { lr = 0.05 }), by_rule:step(arch, batch, { lr = 0.05 }), 1e-6)
end

--- Once-for-all's elastic kernels: the centre goes through a trained matrix (Cai et al. 2020, section 3.3).
local function transformed(full, shape, path)
  local centre = leading(full, shape)
  if #shape ~= 4 or full.shape[1] == shape[1] then return centre end
  local taps = shape[1] * shape[2]
  local matrix = nn.parameter("kernel" .. shape[1], { taps, taps }, { init = "normal", scale = 0.1 })
  local flat = nn.reshape(centre, { taps, -1 })
  return nn.reshape(nn.add(flat, nn.matmul(matrix, flat)), shape)
end

local elastic = nas.weights(space, { data = data, share = transformed })
local paths = {}
for _, path in ipairs(elastic.paths) do paths[path] = true end
expect.is_true(paths["stem_weight_share/kernel3"], table.concat(elastic.paths, " "))
for _, arch in ipairs(archs) do
  local batch = data:batches { size = 40 }()
  local before = elastic.version
  elastic:step(arch, batch, { lr = 0.05 })
  expect.is_true(elastic.version ~= before)
  local path = elastic:evaluate(arch, { bn = "running", batch = 20 })
  for name, value in pairs(elastic:network(arch):evaluate(data, { batch = 20 })) do expect.equal(path[name], value) end
end
expect.raises("stem/weight: share gave a parameter of another shape: expected [", function()
  nas.weights(space, { data = data, share = function(full) return full end })
end)
expect.raises("stem/weight: wrong result of share: expected a Value of shape [", function()
  nas.weights(space, { data = data, share = function() end })
end)

-- MARK: reordering channels leaves the function of the full network

local narrow = nas.space {
  inner = nas.oneof { 2, 6 },
  build = function(arch, x, task)
    x = nn.conv2d(x, arch.inner, { kernel = 3, stride = 2, name = "wide", bias = true })
    x = nn.batch_norm(x, { name = "norm" })
    x = nn.conv2d(nn.relu(x), 5, { kernel = 1, name = "back" })
    return nn.linear(nn.global_avg_pool(x), task.classes, { name = "head" })
  end,
}
local sorted = nas.weights(narrow, { data = data })
local full = narrow:make { inner = 6 }
local before = sorted:evaluate(full, { bn = "batch", batch = 60 }).loss
local small = sorted:evaluate(narrow:make { inner = 2 }, { bn = "batch", batch = 60 }).loss
sorted:reorder("wide", { 1, 5, 2, 6, 3, 4 })
expect.near(sorted:evaluate(full, { bn = "batch", batch = 60 }).loss, before, 1e-5)
expect.is_true(sorted:evaluate(narrow:make { inner = 2 }, { bn = "batch", batch = 60 }).loss ~= small)
expect.raises("can't be reordered by themselves", function() sorted:reorder("head", { 1 }) end)
expect.raises("wrong number of scores", function() sorted:reorder("wide", { 1, 2 }) end)
expect.raises("Did you mean 'wide'", function() sorted:reorder("wode", { 1, 2 }) end)

-- MARK: slips

local function with(build, decisions)
  decisions = decisions or { op = nas.oneof { "a", "b" } }
  decisions.build = build
  return nas.space(decisions)
end

expect.raises("count the layers of a scope differently", function()
  nas.weights(with(function(arch, x, task)
    if arch.op == "a" then x = nn.conv2d(x, 4, { kernel = 3 }) end
    x = nn.conv2d(x, 4, { kernel = 3 })
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end), { data = data })
end)
expect.raises("one path means different parameters", function()
  nas.weights(with(function(arch, x, task)
    if arch.op == "a" then
      x = nn.global_avg_pool(nn.conv2d(x, 4, { kernel = 3, name = "layer" }))
    else
      x = nn.linear(nn.global_avg_pool(x), 4, { name = "layer" })
    end
    return nn.linear(x, task.classes, { name = "head" })
  end), { data = data })
end)
expect.raises("a path of the supernet is not the network that build makes", function()
  nas.weights(with(function(arch, x, task)
    x = nn.choice(arch.op, { a = function() return nn.relu(x) end, b = function() return nn.relu6(x) end })
    if arch.op == "a" then x = nn.avg_pool(x, { kernel = 2 }) end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end), { data = data })
end)
expect.raises("the branches 'a' and 'b' of op have different shapes", function()
  nas.weights(with(function(arch, x, task)
    x = nn.choice(arch.op, { a = function() return nn.relu(x) end, b = function() return nn.avg_pool(x, { kernel = 2 }) end })
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end), { data = data })
end)
expect.raises("there are no gradients to apply", function() weights:apply { lr = 0.1 } end)
expect.raises("no average of the weights is kept", function() weights:evaluate(archs[1], { ema = true }) end)
local result = nas.search {
  space = space,
  strategy = nas.strategies.random {},
  stop = { trials = 1 },
  evaluate = nas.evaluator {
    data = data,
    run = function(trial)
      for batch in data:batches { size = 40 } do weights:step(trial.arch, batch, { lr = 0.1 }) end
      return { accuracy = 1 }
    end,
  },
}
expect.is_true(result.trials[1].failed:find("inside a trial", 1, true) ~= nil, result.trials[1].failed)
