-- The zero-cost proxy "linear_regions".

local nas = require "nas"
local codes = require "nas.activation_codes"

return nas.proxy {
  name = "linear_regions",
  doc = [[
The number of linear regions that normal inputs fall into, which is that of the distinct patterns of all ReLUs.
Kaiming-normal weights by fan-in. It tells networks apart only where they are thin, or else every input has a region
of its own: search a space of one channel and small inputs.]],
  source = "Chen et al. (TE-NAS), ICLR 2021, after Xiong et al. 2020",
  score = function(network)
    local drawn = network:fresh { init = "kaiming_normal_fan_in", stream = "regions" }
    local agreement = codes.agreement(drawn, { batch = "normal", size = 256 })
    local regions, units = 0, agreement:at(1, 1)
    for sample = 1, agreement.rows do
      local is_new = true
      for earlier = 1, sample - 1 do is_new = is_new and agreement:at(sample, earlier) < units end
      if is_new then regions = regions + 1 end
    end
    return regions
  end,
}
