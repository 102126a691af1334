-- A zero-cost proxy of a saved network, on a batch of 64 noise images.

local nas = require "nas"
local write_arrays = require "arrays"
local serve = require "serve"
local args = nas.args { proxy = "naswot", network = "", batch = 64, arrays = "" }

local network, proxy = nas.load_network(args.network), nas.proxies[args.proxy]
local images, labels = nas.randn { args.batch, 32, 32, 3 }, {}
for index = 1, args.batch do labels[index] = (index - 1) % 10 + 1 end
write_arrays(args.arrays, { { "images", images } })

local batch = nas.data.batch(images, labels)
serve(function() return proxy.score(network, batch) end)
