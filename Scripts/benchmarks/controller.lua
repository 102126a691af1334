-- An update of an LSTM controller (Zoph & Le 2017) with 100 units and 20 decisions among 5 operations: the
-- log-probability of an architecture, its gradient, a step of Adam.

local nas = require "nas"
local nn = nas.nn
local write_arrays = require "arrays"
local serve = require "serve"
local args = nas.args { arrays = "", hidden = 100, steps = 20, options = 5 }

local hidden, bound = args.hidden, { scale = 0.08 }

--- The sum of the log-probabilities of `choices`, on the tape.
local controller = nas.model(function(choices)
  local weight = nn.parameter("weight", { 2 * hidden, 4 * hidden }, bound)
  local bias = nn.parameter("bias", { 4 * hidden }, bound)
  local softmax = nn.parameter("softmax", { hidden, args.options }, bound)
  local embedding = nn.parameter("embedding", { args.options, hidden }, bound)
  local x, h, c = nn.parameter("start", { 1, hidden }, bound), nas.zeros { 1, hidden }, nas.zeros { 1, hidden }
  local total = 0
  for _, choice in ipairs(choices) do
    h, c = nn.lstm_cell(nn.matmul(nn.concat(x, h), weight) + bias, c)
    local log_p = nn.log_softmax(nn.matmul(h, softmax))
    total = total + nn.sum(nn.slice(log_p, { axis = 2, start = choice, stop = choice }))
    x = nn.slice(embedding, { axis = 1, start = choice, stop = choice })
  end
  return total
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
