-- The zero-cost proxy "ntk_cond".

local nas = require "nas"

return nas.proxy {
  name = "ntk_cond",
  doc = [[
The condition λ_max / λ_min of the neural tangent kernel J Jᵀ, J the gradients of each sample's summed outputs by the
weights. Kaiming-normal weights by fan-out, statistics of the batch, one batch; lower is better; infinite where λ_min
is not positive.]],
  source = 'Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours" (TE-NAS), ICLR 2021',
  direction = "min",
  score = function(network, batch)
    local drawn = network:fresh { init = "kaiming_normal_fan_out", stream = "ntk" }
    local probe = drawn:probe { batch = batch, loss = "sum", wrt = "parameters", per_sample = true }
    local rows = {}
    for _, entry in ipairs(probe.parameters) do
      -- Of batch norms too, as TE-NAS has it; biases not.
      if entry.path:find("/weight$") then rows[#rows + 1] = entry.gradient end
    end
    local values = nas.linalg.eigh(nas.linalg.gram(rows))
    if values[1] <= 0 then return math.huge end
    return values[#values] / values[1]
  end,
}
