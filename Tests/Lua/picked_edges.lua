-- nn.pick: edges that a decision chooses, alone, under shared weights and relaxed.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local data = nas.data.open("shapes", { valid = 60, limit = 300, test_limit = 60 })

local function operation(x, name)
  return nn.scope(name, function() return nn.batch_norm(nn.conv2d(nn.relu(x), 4, { kernel = 3 })) end)
end

local space = nas.space {
  inputs = nas.manyof(2, { 1, 2, 3 }),
  last = nas.manyof(1, { "a", "b" }),
  build = function(arch, x, task)
    local stem = nn.conv2d(x, 4, { kernel = 3, stride = 2, name = "stem" })
    local nodes = { stem, operation(stem, "first"), operation(nn.relu(stem), "second") }
    local branches = {}
    for i, node in ipairs(nodes) do branches[i] = function() return operation(node, "edge") end end
    x = nn.pick(arch.inputs, branches)
    x = nn.pick(arch.last, { a = function(x) return nn.relu(x) end, b = function(x) return nn.zero(x) end }, x)
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}

-- MARK: a path is its network

local weights = nas.weights(space, { data = data })
expect.equal(weights.open, { "inputs", "last" })
local function agree(arch)
  local path = weights:evaluate(arch, { bn = "running", batch = 20 })
  for name, value in pairs(weights:network(arch):evaluate(data, { batch = 20 })) do
    if path[name] ~= value then error(("%s: %s is %g on the path, %g alone"):format(arch, name, path[name], value)) end
  end
end
local count = 0
for arch in space:iterate() do
  agree(arch)
  for batch in data:batches { size = 60 } do weights:step(arch, batch, { lr = 0.05 }) end
  agree(arch)
  count = count + 1
end
expect.equal(count, 6)

-- MARK: the mixture with weights of zero and one is the network, and the largest mixing weights are taken

local function mix(decision, branches, x)
  local values = {}
  for i, branch in ipairs(branches) do values[i] = branch(x) end
  return nn.weighted_sum(decision.alpha, values)
end
local net = nas.relax(space, { data = data, mix = mix })
local arch = space:make { inputs = { 1, 3 }, last = { "a" } }
local alpha = { inputs = { 1, 0, 1 }, last = { 1, 0 } }
for path, values in pairs(alpha) do net.alpha[path]:set(values) end
expect.equal(net:derive(), arch)
expect.raises("tensor:set: wrong shape: expected [3], got [2]", function() net.alpha.inputs:set { 1, 2 } end)
local batch = data:batches { size = 30 }()
local mixed = net:loss(batch)
local discrete = nas.relax(space:fix { inputs = { 1, 3 }, last = { "a" } }, { data = data, mix = mix })
local own = {}
for _, tensor in ipairs(net:parameters()) do own[tensor.name] = tensor end
for _, tensor in ipairs(discrete:parameters()) do tensor:set(own[tensor.name]) end
expect.equal(discrete:loss(batch):item(), mixed:item())
mixed:backward()
expect.is_true(net.alpha.inputs.grad:totable()[2] ~= 0, "a branch with weight zero has a gradient of its weight")

-- MARK: slips

expect.raises("nn.pick needs a list of options: expected what build read from a nas.manyof, got 1", function()
  nas.space({ one = nas.oneof { 1, 2 }, build = function(arch, x, task)
    return nn.linear(nn.global_avg_pool(nn.pick(arch.one, { function() return x end, function() return x end })), task.classes)
  end }):random():network(data)
end)
expect.raises("space.inputs: build needs the value of a decision that is left open", function()
  nas.relax(nas.space { inputs = nas.manyof(1, { 1, 2 }), build = function(arch, x, task)
    return nn.linear(nn.global_avg_pool(nn.choice(arch.inputs, { function() return x end, function() return x end })), task.classes)
  end }, { data = data })
end)
