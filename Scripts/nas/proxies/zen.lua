-- The zero-cost proxy "zen".

local nas = require "nas"
local nn = nas.nn

local gamma, samples = 0.01, 16

--- A batch of N(0, 1).
local function normal(network, stream)
  return network:probe({ batch = "normal", size = samples, stream = stream, loss = "sum" }).input
end

--- What the last global pooling reads, and what the batch norms read.
local function look(network, batch)
  local features, norms = nil, {}
  local capture = { "global_avg_pool", "batch_norm" }
  for _, entry in ipairs(network:probe({ batch = batch, loss = "sum", capture = capture, at = "input" }).activations) do
    if entry.op == "batch_norm" then norms[#norms + 1] = entry.value else features = entry.value end
  end
  if not features then
    nas.fail {
      message = "the proxy zen needs a network that ends in a global pooling",
      expected = "nn.global_avg_pool in build",
    }
  end
  return features, norms
end

return nas.proxy {
  name = "zen",
  doc = [[
log E‖f(x) − f(x + γ ε)‖₁ + Σ log √(mean variance) over the batch norms: f the features before the global pooling,
weights, x and ε from N(0, 1), γ = 0.01. A batch of 16, one draw, as NASLib; variances are those of the batch x. Made
for plain networks; weak on cells with skip connections.]],
  source = 'Lin et al., "Zen-NAS", ICCV 2021',
  score = function(network)
    local drawn = network:fresh { init = "normal", stream = "zen" }
    local x, noise = normal(drawn, "x"), normal(drawn, "noise")
    local features, norms = look(drawn, x)
    local moved = look(drawn, x + noise * gamma)
    local score = math.log(nn.sum(nn.abs(features - moved)):item() / samples)
    for _, value in ipairs(norms) do
      local axes = {}
      for axis = 1, #value.shape - 1 do axes[axis] = axis end
      local centred = value - nn.mean(value, { axes = axes })
      score = score + 0.5 * math.log(nn.mean(centred * centred):item())
    end
    return score
  end,
}
