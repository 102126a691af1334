-- A step of a relaxed NAS-Bench-201 supernet, as in DARTS: every edge is the mixture of all operations; loss,
-- gradients, an update of the weights and one of the mixing weights.

local nas = require "nas"
local write_arrays = require "arrays"
local serve = require "serve"
local args = nas.args { data = "", batch = 64, cells = 1, arrays = "" }

local net = nas.relax(nas.spaces.nasbench201 { channels = 16, cells = args.cells }, { data = nas.data.open(args.data) })
local images, labels = nas.randn { args.batch, 32, 32, 3 }, {}
for index = 1, args.batch do labels[index] = (index - 1) % 10 + 1 end
local batch = nas.data.batch(images, labels)

local arrays = { { "images", images } }
for _, tensor in ipairs(net:parameters()) do arrays[#arrays + 1] = { tensor.name, tensor } end
write_arrays(args.arrays, arrays)

local weights = nas.optim.sgd(net:parameters(), { lr = 0.01, momentum = 0.9, nesterov = true, weight_decay = 5e-4 })
local alphas = nas.optim.adam(net:alphas(), { lr = 3e-4, beta1 = 0.5, weight_decay = 1e-3 })

serve(function()
  weights:zero_grad()
  alphas:zero_grad()
  local loss = net:loss(batch)
  loss:backward()
  weights:step()
  alphas:step()
  return loss:item()
end)
