-- An update of an LSTM controller (Zoph & Le 2017) with 100 units and 20 decisions among 5 operations: the
-- log-probability of an architecture, its gradient, a step of Adam.

local nas = require "nas"
local nn = nas.nn
local write_arrays = require "arrays"
local serve = require "serve"
local args = nas.args { arrays = "", hidden = 100, steps = 20, options = 5 }

local hidden, bound = args.hidden, { scale = 0.08 }

--- The sum of the log-probabilities of `choices`, on the tape: step by step, as one that draws its choices has to.
local controller = nas.model(function(choices)
  local weight = nn.parameter("weight", { 2 * hidden, 4 * hidden }, bound)
  local bias = nn.parameter("bias", { 4 * hidden }, bound)
  local softmax = nn.parameter("softmax", { hidden, args.options }, bound)
  local embedding = nn.parameter("embedding", { args.options, hidden }, bound)
  local x, h, c = nn.parameter("start", { 1, hidden }, bound), nas.zeros { 1, hidden }, nas.zeros { 1, hidden }
  local log_p, taken = {}, {}
  for step, choice in ipairs(choices) do
    h, c = nn.lstm_step(x, h, c, weight, bias)
    log_p[step], taken[step] = nn.log_softmax(nn.matmul(h, softmax)), { choice }
    x = nn.slice(embedding, { axis = 1, start = choice, stop = choice })
  end
  return nn.sum(nn.gather(nn.concat(log_p, { axis = 1 }), nas.tensor(taken)))
end)

local choices = {}
for step = 1, args.steps do choices[step] = (3 * step) % args.options + 1 end
controller(choices)

local arrays = {}
for _, tensor in ipairs(controller:parameters()) do arrays[#arrays + 1] = { tensor.name, tensor } end
write_arrays(args.arrays, arrays)

local adam, reward = nas.optim.adam(controller:parameters(), { lr = 1e-3 }), 0.5
serve(function()
  adam:zero_grad()
  local loss = controller(choices) * -reward
  loss:backward()
  adam:step()
  return loss:item()
end)
