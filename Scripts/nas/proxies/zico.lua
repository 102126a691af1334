-- The zero-cost proxy "zico".

local nas = require "nas"
local nn = nas.nn

--- Σ mean |g| / deviation over the elements of one layer.
local function signal_to_noise(gradients)
  local count, mean, size, square = #gradients, 0, 0, 0
  for _, gradient in ipairs(gradients) do
    mean = gradient / count + mean
    size = nn.abs(gradient) / count + size
  end
  for _, gradient in ipairs(gradients) do
    local difference = gradient - mean
    square = difference * difference / count + square
  end
  local is_constant = nn.equal(square, square * 0)
  return nn.sum(size * (1 - is_constant) / nn.sqrt(square + is_constant)):item()
end

return nas.proxy {
  name = "zico",
  doc = [[
Σ over layers of log Σ over weights of (mean |g| / deviation of g), g the gradients of at least two batches. Weights
of convolutions and linear layers, cross-entropy, statistics of each batch; weights without deviation and layers
without any are left out.]],
  source = 'Li et al., "ZiCo", ICLR 2023',
  batches = 2,
  score = function(network, ...)
    local count = select("#", ...)
    if count < 2 then
      nas.fail { message = "the proxy zico compares batches", expected = "two or more", got = tostring(count) }
    end
    local layers = {}
    for number, batch in ipairs { ... } do
      for index, weight in ipairs(network:probe({ batch = batch, wrt = "weights" }).weights) do
        layers[index] = layers[index] or {}
        layers[index][number] = weight.gradient
      end
    end
    local score = 0
    for _, gradients in ipairs(layers) do
      local ratio = signal_to_noise(gradients)
      if ratio > 0 then score = score + math.log(ratio) end
    end
    return score
  end,
}
