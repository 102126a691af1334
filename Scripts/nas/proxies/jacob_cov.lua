-- The zero-cost proxy "jacob_cov".

local nas = require "nas"

return nas.proxy {
  name = "jacob_cov",
  doc = [[
How little the network's linear maps at the samples of a batch are correlated: with the eigenvalues v of the
correlations of the rows of ∂(Σ outputs)/∂input, −Σ log(v + k) + 1 / (v + k), k = 1e-5. Statistics of the batch; NaN
where a row is constant.]],
  source = 'Mellor et al., "Neural Architecture Search without Training", arXiv 2006.04647v1',
  score = function(network, batch)
    local jacobian = network:probe({ batch = batch, loss = "sum", wrt = "input" }).input_gradient
    local correlations = nas.linalg.corrcoef(jacobian)
    if not correlations:is_finite() then return -(0 / 0) end
    local k, score = 1e-5, 0
    for _, value in ipairs((nas.linalg.eigh(correlations))) do
      score = score - (math.log(value + k) + 1 / (value + k))
    end
    return score
  end,
}
