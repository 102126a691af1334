-- The zero-cost proxy "epe_nas".

local nas = require "nas"

local k = 1e-5

--- For each class in the batch, the sum over the correlations of its samples.
local function sums_by_class(correlations, labels, is_mean)
  local members, sums = {}, {}
  for sample, label in ipairs(labels) do
    members[label] = members[label] or {}
    table.insert(members[label], sample)
  end
  for _, samples in pairs(members) do
    local sum = 0
    for _, i in ipairs(samples) do
      for _, j in ipairs(samples) do sum = sum + math.log(math.abs(correlations:at(i, j)) + k) end
    end
    sums[#sums + 1] = is_mean and sum / #samples or sum
  end
  return sums
end

return nas.proxy {
  name = "epe_nas",
  doc = [[
Like jacob_cov, but by class: s_c = Σ log(|correlation| + 1e-5) over the samples of class c, then Σ |s_c|; beyond 100
classes s_c is divided by the samples of its class, and the mean difference between classes counts.]],
  source = 'Lopes et al., "EPE-NAS", arXiv 2102.08099 (NASLib, measures/epe_nas.py)',
  score = function(network, batch)
    local jacobian = network:probe({ batch = batch, loss = "sum", wrt = "input" }).input_gradient
    local correlations = nas.linalg.corrcoef(jacobian)
    if not correlations:is_finite() then return -(0 / 0) end
    local many = network.classes > 100
    local sums, score = sums_by_class(correlations, batch.labels, many), 0
    for _, sum in ipairs(sums) do
      if not many then score = score + math.abs(sum) end
      for _, other in ipairs(many and sums or {}) do score = score + math.abs(sum - other) / #sums end
    end
    return score
  end,
}
