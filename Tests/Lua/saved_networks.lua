-- A network that is loaded from its files is the one that was saved: the same answers, bit for bit, without the space
-- that built it.

local nas = require "nas"
local expect = require "expect"
local nn = nas.nn

local space = nas.space {
  width = nas.oneof { 4, 8 },
  build = function(arch, x, task)
    x = nn.scope("stem", function() return nn.relu(nn.batch_norm(nn.conv2d(x, arch.width, { kernel = 3 }))) end)
    return nn.linear(nn.global_avg_pool(x), task.classes)
  end,
}
local data = nas.data.open("shapes", { valid = 0.2, limit = 200 })
local network = space:make { width = 8 }:network(data)
network:fit { data = data, epochs = 1 }
local scores = network:evaluate(data)
local folder = network:save()

local batch = data:batches { split = "valid", size = 16 }()

--- The answers to a batch, with running statistics.
local function answers(of) return of:probe({ batch = batch, bn = "running" }).outputs end

local function largest(tensor) return nn.reduce_max(nn.abs(tensor)):item() end

local loaded = nas.load_network(folder, { data = data })
local first, second = answers(network), answers(loaded)
expect.equal(largest(first - second), 0)
expect.is_true(largest(first) > 0, "the answers are not all 0")
for name, value in pairs(loaded:evaluate(data)) do expect.equal(value, scores[name]) end
expect.equal(loaded.arch:id(), space:make { width = 8 }:id())
expect.equal(loaded.digest, network.digest)
expect.equal(loaded.params, network.params)

-- Without data it knows its input and classes by itself, and it can be trained on.
local bare = nas.load_network(folder)
expect.equal(bare.classes, network.classes)
bare:fit { data = data, epochs = 1, lr = 0.01 }
expect.is_true(largest(answers(bare) - first) > 0, "training changes it")
expect.equal(largest(answers(nas.load_network(folder)) - first), 0)

expect.raises("there is no saved network", function() nas.load_network(nas.run.folder) end)
expect.equal(nas.run.recipe_folder:match("[^/]+$"), "Lua")
print("saved networks: all as expected")
