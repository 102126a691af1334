-- %% [markdown] A relaxed space
-- DARTS (Liu et al. 2019), first order: every edge of a NAS-Bench-201 cell is a mixture of its five operations. Weights
-- learn on the training images, mixing weights on the held-out ones, turn by turn.

local nas = require "nas"
local args = nas.args { data = "shapes", epochs = 10, batch = 64 }

local data = nas.data.open(args.data, { valid = 0.5 })
local space = nas.spaces.nasbench201 { channels = 8, cells = 1 }
local net = nas.relax(space, { data = data })
print(net)

local weights = nas.optim.sgd(net:parameters(), { lr = 0.025, momentum = 0.9, weight_decay = 3e-4 })
local alphas = nas.optim.adam(net:alphas(), { lr = 3e-2, beta1 = 0.5, weight_decay = 1e-3 })

-- An epoch is a step that survives the process: resumed, the recipe goes on after the last one that was finished.
local function train(epoch)
  local validation = data:batches { split = "valid", size = args.batch, first_epoch = epoch, stream = "valid" }
  local sum, steps = 0, 0
  for batch in data:batches { split = "train", size = args.batch, first_epoch = epoch } do
    local held_out = validation()
    if not held_out then break end
    alphas:zero_grad()
    net:loss(held_out):backward()
    alphas:step()
    weights:zero_grad()
    local loss = net:loss(batch)
    loss:backward()
    weights:clip(5)
    weights:step()
    sum, steps = sum + loss:item(), steps + 1
  end
  return { loss = sum / steps, arch = tostring(net:derive()) }
end

for epoch = 1, args.epochs do
  local result = nas.checkpoint {
    name = "epoch " .. epoch,
    state = { net = net, weights = weights, alphas = alphas },
    run = function() return train(epoch) end,
  }
  print(("epoch %d  loss %.3f  %s"):format(epoch, result.loss, result.arch))
end

-- %% The architecture with the largest mixing weights, trained by itself
for _, path in ipairs { "node1[1]", "node2[1]", "node3[3]" } do print(path, nas.nn.softmax(net.alpha[path])) end
local arch = net:derive()
local network = arch:network(data)
network:fit { data = data, epochs = 30, batch = 64, lr = 0.1 }
print(("%s alone: %.2f %%"):format(arch, network:evaluate(data).accuracy))
