-- The zero-cost proxy "naswot".

local nas = require "nas"
local codes = require "nas.activation_codes"

return nas.proxy {
  name = "naswot",
  doc = [[
How differently the ReLUs of the network answer the samples of a batch: log |det K| of K = Σ x xᵀ + (1 − x)(1 − x)ᵀ
over the ReLUs' binary codes x. Statistics of the batch; values are comparable for one size of batch alone; −inf where
two samples have one code.]],
  source = 'Mellor et al., "Neural Architecture Search without Training", ICML 2021',
  score = function(network, batch)
    local _, logarithm = nas.linalg.slogdet(codes.agreement(network, { batch = batch }))
    return logarithm
  end,
}
