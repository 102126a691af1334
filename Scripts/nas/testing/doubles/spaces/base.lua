-- A small space that is right; the wrong ones each change one thing of it.

local nas = require "nas"
local nn = nas.nn

--- `changes`: fields that replace those of the space; `options`: those of nas.space.
return function(changes, options)
  local definition = {
    width = nas.oneof { 4, 6 },
    op = nas.oneof { "conv3", "conv1", "skip" },
    build = function(arch, x, task)
      x = nn.scope("stem", function() return nn.batch_norm(nn.conv2d(x, arch.width, { kernel = 3, stride = 2 })) end)
      x = nn.scope("body", function()
        return nn.choice(arch.op, {
          conv3 = function() return nn.batch_norm(nn.conv2d(nn.relu(x), x.channels, { kernel = 3 })) end,
          conv1 = function() return nn.batch_norm(nn.conv2d(nn.relu(x), x.channels, { kernel = 1 })) end,
          skip = function() return x end,
        })
      end)
      return nn.linear(nn.global_avg_pool(x), task.classes)
    end,
  }
  for name, value in pairs(changes) do definition[name] = value end
  return nas.space(definition, options)
end
