-- Blocks that nas.nn composes against PyTorch's modules: outputs, and gradients of the input and of all parameters.

local nas = require "nas"
local nn = nas.nn
local expect = require "expect"
local references = require "references.blocks"

--- Numbers of a linear congruential generator, nested in a shape: those that the references were made with.
local function wave(seed, shape)
  local state = seed
  local function nest(axis)
    if axis > #shape then
      state = (state * 1103515245 + 12345) % 2147483648
      return state // 128 / 8388608 - 1
    end
    local rows = {}
    for i = 1, shape[axis] do rows[i] = nest(axis + 1) end
    return rows
  end
  return nest(1)
end

local function flat(value, list)
  list = list or {}
  if type(value) ~= "table" then
    list[#list + 1] = value
  else
    for _, item in ipairs(value) do flat(item, list) end
  end
  return list
end

local function compare(what, tensor, wanted)
  expect.is_true(tensor ~= nil, what .. " is missing")
  local got, largest = flat(tensor:totable()), 1
  expect.equal(#got, #wanted)
  for _, value in ipairs(wanted) do largest = math.max(largest, math.abs(value)) end
  for i, value in ipairs(wanted) do
    local difference = math.abs(got[i] - value)
    expect.is_true(difference <= 1e-5 * largest, ("%s[%d]: %g instead of %g"):format(what, i, got[i], value))
  end
end

--- Checks a function of the input, with parameters from waves in their order.
local function check(name, shape, fn)
  local model, wanted = nas.model(fn), references[name]
  local x = nas.tensor(wave(101, shape), { requires_grad = true })
  nas.no_grad(function() model(x) end)
  for index, parameter in ipairs(model:parameters()) do parameter:set(wave(index, parameter.shape)) end
  local y = model(x)
  nn.sum(nn.mul(y, nas.tensor(wave(102, y.shape)))):backward()
  compare(name .. ": output", y, wanted.output)
  compare(name .. ": x", x.grad, wanted.x)
  local count = 2
  for _, parameter in ipairs(model:parameters()) do
    expect.is_true(wanted[parameter.name] ~= nil, name .. ": unknown parameter " .. parameter.name)
    compare(name .. ": " .. parameter.name, parameter.grad, wanted[parameter.name])
    count = count + 1
  end
  for _ in pairs(wanted) do count = count - 1 end
  expect.equal(count, 0)
end

local image, tokens = { 2, 4, 5, 2 }, { 2, 3, 4 }
check("mbconv", image, function(x) return nn.mbconv(x, 2, { expand = 3, activation = "hard_swish" }) end)
check("mbconv_gated", image, function(x)
  return nn.mbconv(x, 2, { expand = 3, stride = 2, squeeze_excite = 0.5, activation = "hard_swish" })
end)
check("attention", tokens, function(x) return nn.attention(x) end)
check("attention_heads", tokens, function(x) return nn.attention(x, { heads = 2 }) end)
check("attention_causal", tokens, function(x) return nn.attention(x, { heads = 2, causal = true }) end)
check("transformer_block", tokens, function(x) return nn.transformer_block(x, { heads = 2, ratio = 2 }) end)
check("lstm_cell", { 2, 2, 3 }, function(x)
  local weight, bias = nn.parameter("weight", { 7, 16 }), nn.parameter("bias", { 16 })
  local h, c = nas.zeros { 2, 4 }, nas.zeros { 2, 4 }
  for step = 1, 2 do
    local now = nn.reshape(nn.slice(x, { axis = 2, start = step, stop = step }), { 2, 3 })
    h, c = nn.lstm_step(now, h, c, weight, bias)
  end
  return nn.concat(h, c)
end)
