-- %% [markdown]
-- # A space of your own
-- Decisions, and one function that builds a network from what was decided. Here: how many blocks, how wide, and for
-- each block its operation.

local nas = require "nas"
local nn = nas.nn

local args = nas.args { data = "shapes", trials = 10, epochs = 2 }
local data = nas.data.open(args.data, { valid = 0.2 })

local space = nas.space {
  width = nas.oneof { 8, 12, 16 },
  blocks = nas.list(nas.int(1, 3), { op = nas.oneof { "conv3", "conv5", "skip" } }),
  build = function(arch, x, task)
    local function unit(input, channels, kernel, stride)
      return nn.relu(nn.batch_norm(nn.conv2d(input, channels, { kernel = kernel, stride = stride })))
    end
    x = nn.scope("stem", function() return unit(x, arch.width, 3, 2) end)
    for i, block in ipairs(arch.blocks) do
      x = nn.scope("block" .. i, function()
        return nn.choice(block.op, {
          conv3 = function() return unit(x, x.channels, 3, 1) end,
          conv5 = function() return unit(x, x.channels, 5, 1) end,
          skip = function() return x end,
        })
      end)
    end
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}
print(space)

local result = nas.search {
  space = space,
  strategy = nas.strategies.random {},
  evaluate = nas.evaluators.train { data = data, epochs = args.epochs, lr = 0.05 },
  objectives = { { "accuracy", "max" }, { "params", "min" } },
  stop = { trials = args.trials },
}
nas.plot.pareto(result, "params", "accuracy")
print("best: " .. tostring(result:best()))
