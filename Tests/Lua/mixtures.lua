-- Differentiable searches that differ by their mixture: each trains, and each gives its mixing weights gradients.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"

local data = nas.data.open("shapes", { valid = 60, limit = 300, test_limit = 60 })

local space = nas.space {
  ops = nas.list(2, nas.oneof { "conv", "pool", "skip", "none" }),
  build = function(arch, x, task)
    x = nn.conv2d(x, 8, { kernel = 3, stride = 2, name = "stem" })
    for layer = 1, 2 do
      x = nn.scope("layer" .. layer, function()
        return nn.choice(arch.ops[layer], {
          conv = function(x) return nn.conv2d(nn.relu(x), x.channels, { kernel = 3 }) end,
          pool = function(x) return nn.avg_pool(x, { kernel = 3, stride = 1, padding = 1 }) end,
          skip = function(x) return x end,
          none = function(x) return nn.zero(x) end,
        }, x)
      end)
    end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}

local function all(branches, x)
  local values = {}
  for i, branch in ipairs(branches) do values[i] = branch(x) end
  return values
end

local mixtures = {}

--- Every branch by a weight of its own, so that they don't compete (Chu et al. 2020, "Fair DARTS", section 3.2).
function mixtures.fair_darts(decision, branches, x)
  return nn.weighted_sum(nn.sigmoid(decision.alpha), all(branches, x))
end

--- One branch, drawn by the Gumbel-max trick, with the gradient of the softmax (Dong & Yang 2019, "GDAS", eq. 3 to 6).
function mixtures.gdas(decision, branches, x)
  local soft = nn.softmax(nn.scale(nn.add(decision.alpha, nn.gumbel_noise(decision.alpha)), { multiply = 1 / 5 }))
  local hard = nn.one_hot(nn.argmax(soft, { axes = { 1 } }), #branches)
  return nn.weighted_sum(nn.add(nn.stop_gradient(nn.sub(hard, soft)), soft), all(branches, x))
end

--- Weights drawn from a Dirichlet distribution (Chen et al. 2021, "DrNAS", section 3.1).
function mixtures.drnas(decision, branches, x)
  local concentration = nn.scale(nn.softplus(decision.alpha), { add = 1 })
  return nn.weighted_sum(nn.dirichlet(concentration), all(branches, x))
end

--- A quarter of the channels through the branches, the others past them, then shuffled (Xu et al. 2020, "PC-DARTS").
function mixtures.pc_darts(decision, branches, x)
  local part = x.channels // 4
  local through = nn.slice(x, { axis = -1, start = 1, stop = part })
  local past = nn.slice(x, { axis = -1, start = part + 1, stop = x.channels })
  local mixed = nn.weighted_sum(nn.softmax(decision.alpha), all(branches, through))
  local together = nn.concat(mixed, past)
  local shape = together.shape
  local grouped = nn.transpose(nn.reshape(together, { 0, shape[1], shape[2], 4, part }), { 1, 2, 3, 5, 4 })
  return nn.reshape(grouped, { 0, shape[1], shape[2], shape[3] })
end

for _, name in ipairs { "fair_darts", "gdas", "drnas", "pc_darts" } do
  local net = nas.relax(space, { data = data, mix = mixtures[name] })
  local weights, alphas = nas.optim.sgd(net:parameters(), { lr = 0.1 }), nas.optim.adam(net:alphas(), { lr = 0.05 })
  local losses, moved = {}, 0
  for batch in data:batches { size = 60, epochs = 4 } do
    weights:zero_grad()
    alphas:zero_grad()
    local loss = net:loss(batch)
    loss:backward()
    for _, alpha in ipairs(net:alphas()) do moved = moved + nn.sum(nn.abs(alpha.grad)):item() end
    weights:step()
    alphas:step()
    losses[#losses + 1] = loss:item()
  end
  local first, last = 0, 0
  for i = 1, 4 do first, last = first + losses[i], last + losses[#losses + 1 - i] end
  expect.is_true(last < first, ("%s lowers the loss: %.4f to %.4f"):format(name, first / 4, last / 4))
  expect.is_true(moved > 0, name .. " gives the mixing weights gradients")
  expect.is_true(space:make { ops = net:derive().ops } == net:derive())
end

-- MARK: what a mixture may not give

expect.raises("space.ops[1]: wrong result of mix: expected a value of nas.nn", function()
  nas.relax(space, { data = data, mix = function() end })
end)
expect.raises("a mixture", function()
  nas.relax(space, { data = data, mix = function(decision, branches, x) return nn.weighted_sum(decision.alpha, { x, x }) end })
end)
