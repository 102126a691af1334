-- A wrong proxy: the same score for every network.

local nas = require "nas"

return nas.proxy { name = "likes_all", score = function(network) return network.classes end }
