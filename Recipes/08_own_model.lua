-- %% [markdown] Models of your own
-- Controllers, predictors and surrogates are models of a script's own: functions on tensors whose layers keep their
-- parameters. Here an LSTM learns to remember and a Transformer block learns to compare.

local nas = require "nas"
local nn = nas.nn
local args = nas.args { steps = 300, batch = 64 } -- steps: a multiple of 5

--- `count` sequences of `length` random bits, as nested lists of 0 and 1.
local function bits(stream, count, length)
  local rows = {}
  for row = 1, count do
    rows[row] = {}
    for position = 1, length do rows[row][position] = stream:integer(0, 1) end
  end
  return rows
end

--- The mean of `log(1 + e^-z)` where z is the logit, with its sign changed for the target 0.
local function logistic_loss(logits, targets) return nn.binary_cross_entropy(logits, targets) end

--- The share of logits on the right side of 0, in per cent.
local function accuracy(logits, targets)
  local right = nn.equal(nn.greater(logits, nas.zeros(logits.shape)), targets)
  return 100 * nn.mean(right):item()
end

--- Trains a model on batches of `draw()`, which returns inputs and targets; prints the course. A fifth of the steps is
--- a checkpoint: a run that was ended goes on after the last one.
local function train(name, model, draw, lr)
  local x, y = draw()
  nas.no_grad(function() model(x) end)
  local optimiser = nas.optim.adam(model:parameters(), { lr = lr })
  print(name, model)
  local part = args.steps // 5
  local function run()
    local loss
    for _ = 1, part do
      local x, y = draw()
      optimiser:zero_grad()
      loss = logistic_loss(model(x), y)
      loss:backward()
      optimiser:clip(1)
      optimiser:step()
    end
    return loss:item()
  end
  for step = part, args.steps, part do
    local state = { model = model, optimiser = optimiser }
    local loss = nas.checkpoint { name = name .. ", step " .. step, state = state, run = run }
    print(("  step %d  loss %.4f"):format(step, loss))
  end
  x, y = draw()
  local score = nas.no_grad(function() return accuracy(model(x), y) end)
  print(("  accuracy %.1f %% (chance: 50 %%)"):format(score))
  return score
end

-- %% An LSTM: which bit came first?

local hidden, length = 16, 8
local stream = nas.stream "sequences"

local lstm = nas.model(function(rows)
  local weight = nn.parameter("weight", { 1 + hidden, 4 * hidden }, { scale = 0.25 })
  local bias = nn.parameter("bias", { 4 * hidden }, { init = "constant", scale = 0 })
  local h, c = nas.zeros { #rows, hidden }, nas.zeros { #rows, hidden }
  for position = 1, length do
    local column = {}
    for row = 1, #rows do column[row] = { 2 * rows[row][position] - 1 } end
    local gates = nn.matmul(nn.concat(nas.tensor(column), h), weight) + bias
    h, c = nn.lstm_cell(gates, c)
  end
  return nn.linear(h, 1, { name = "answer" })
end, { stream = "lstm" })

local remembered = train("LSTM", lstm, function()
  local rows, first = bits(stream, args.batch, length), {}
  for row = 1, #rows do first[row] = { rows[row][1] } end
  return rows, nas.tensor(first)
end, 0.02)

-- %% A Transformer block: are the first and the last bit the same?

local width = 16

local transformer = nas.model(function(x)
  local places = nn.parameter("places", { length, width }, { scale = 0.5 })
  local tokens = nn.linear(x, width, { name = "embed" }) + places
  tokens = nn.transformer_block(tokens, { heads = 2, ratio = 2 })
  return nn.linear(nn.mean(nn.layer_norm(tokens), { axes = { 2 } }), 1, { name = "answer" })
end, { stream = "transformer" })

local compared = train("Transformer block", transformer, function()
  local rows, same = bits(stream, args.batch, length), {}
  for row = 1, #rows do
    same[row] = { rows[row][1] == rows[row][length] and 1 or 0 }
    for position = 1, length do rows[row][position] = { 2 * rows[row][position] - 1 } end
  end
  return nas.tensor(rows), nas.tensor(same)
end, 0.01)

if remembered < 90 or compared < 90 then nas.fail { message = "a model did not learn its task" } end
