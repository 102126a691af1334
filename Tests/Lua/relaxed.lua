-- Relaxed spaces: gradients of mixing weights, mixtures of a script's own, what can't be relaxed.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local data = nas.data.open("shapes", { valid = 60, limit = 300, test_limit = 60 })

local function space_of(decisions, build)
  decisions.build = build
  return nas.space(decisions)
end

local function build(arch, x, task)
  x = nn.conv2d(x, 4, { kernel = 3, stride = 2, name = "stem" })
  for layer = 1, 2 do
    x = nn.scope("layer" .. layer, function()
      return nn.choice(arch.ops[layer], {
        conv = function(x) return nn.conv2d(nn.relu(x), 4, { kernel = 3 }) end,
        skip = function(x) return x end,
        none = function(x) return nn.zero(x) end,
      }, x)
    end)
  end
  return nn.linear(nn.global_avg_pool(x), task.classes)
end

local space = space_of({ ops = nas.list(2, nas.oneof { "conv", "skip", "none" }) }, build)
local batch = data:batches { size = 30 }()

-- MARK: gradients of the mixing weights agree with differences

local net = nas.relax(space, { data = data })
expect.equal(#net:alphas(), 2)
net:loss(batch):backward()
local alpha = net.alpha["ops[1]"]
local gradient = alpha.grad:totable()
local function loss_at(values) -- the loss with other mixing weights of the first decision
  local other = nas.relax(space, { data = data, mix = function(decision, branches, x)
    local outputs = {}
    for i, branch in ipairs(branches) do outputs[i] = branch(x) end
    local shift = decision.path == "ops[1]" and values or { 0, 0, 0 }
    local weights, total = {}, 0
    for i = 1, 3 do total = total + math.exp(shift[i]) end
    for i = 1, 3 do weights[i] = nn.scale(outputs[i], { multiply = math.exp(shift[i]) / total }) end
    return nn.add(weights[1], weights[2], weights[3])
  end })
  return other:loss(batch):item()
end
for i = 1, 3 do
  local up, down = { 0, 0, 0 }, { 0, 0, 0 }
  up[i], down[i] = 0.05, -0.05
  expect.near(gradient[i], (loss_at(up) - loss_at(down)) / 0.1, 2e-4)
end

-- MARK: second gradients, of the gradient by the weights after a change of the mixing weights, agree with differences

local smooth = nas.relax(space_of({ op = nas.oneof { "tanh", "none" } }, function(arch, x, task)
  x = nn.conv2d(x, 3, { kernel = 3, stride = 2, name = "stem" })
  x = nn.choice(arch.op, { tanh = nn.tanh, none = function(x) return nn.scale(x, { multiply = 0.5 }) end }, x)
  return nn.linear(nn.global_avg_pool(x), task.classes)
end), { data = data })
local filter, mixing = smooth:parameters()[1], smooth.alpha.op
local along = nas.randn(filter.shape, { stream = "direction" })
local function slope(options) return nn.sum(nas.grad(smooth:loss(batch), { filter }, options)[1] * along) end
local mixed_gradient = nas.grad(slope { create_graph = true }, { mixing })[1]:totable()
for i = 1, 2 do
  local function slope_at(shift)
    local moved = { 0, 0 }
    moved[i] = shift
    mixing:set(moved)
    return slope():item()
  end
  local difference = (slope_at(0.02) - slope_at(-0.02)) / 0.04
  expect.near(mixed_gradient[i], difference, 1e-4 + 1e-2 * math.abs(difference))
  mixing:set { 0, 0 }
end

-- MARK: training moves weights and mixing weights; the architecture follows the mixing weights

local weights, alphas = nas.optim.sgd(net:parameters(), { lr = 0.1 }), nas.optim.adam(net:alphas(), { lr = 0.1 })
local first = net:loss(batch):item()
for _ = 1, 15 do
  weights:zero_grad()
  alphas:zero_grad()
  net:loss(batch):backward()
  weights:step()
  alphas:step()
end
expect.is_true(net:loss(batch):item() < first, "training lowers the loss")
local values = net.alpha["ops[2]"]:totable()
local best = 1
for i = 2, 3 do if values[i] > values[best] then best = i end end
expect.equal(net:derive().ops[2], ({ "conv", "skip", "none" })[best])

-- MARK: what can't be relaxed is named

expect.raises("space.width: a decision can't be relaxed", function()
  nas.relax(space_of({ ops = nas.list(2, nas.oneof { "conv", "skip", "none" }), width = nas.int(1, 4) }, build), { data = data })
end)
expect.raises("space.unused: a relaxed decision was taken by no nn.choice", function()
  nas.relax(
    space_of({ ops = nas.list(2, nas.oneof { "conv", "skip", "none" }), unused = nas.oneof { 1, 2 } }, build),
    { data = data }
  )
end)
expect.raises("space.width: build needs the value of a decision that is left open", function()
  nas.relax(space_of({ width = nas.oneof { 4, 8 } }, function(arch, x, task)
    return nn.linear(nn.global_avg_pool(nn.conv2d(x, arch.width, { kernel = 3 })), task.classes)
  end), { data = data })
end)
