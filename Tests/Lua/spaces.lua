-- Spaces as recipes see them, above all the cell space of NAS-Bench-201.

local nas = require "nas"
local expect = require "expect"

-- MARK: the cell space

local cells = nas.spaces.nasbench201 { channels = 4, cells = 1 }
local operations = { "none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3" }
expect.equal(cells:size(), 5 ^ 6)
expect.equal(#cells:decisions(), 6)

local text = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|nor_conv_3x3~1|skip_connect~2|"
local arch = cells:parse(text)
expect.equal(tostring(arch), text)
expect.equal(arch.node1, { "avg_pool_3x3" })
expect.equal(arch.node2, { "nor_conv_1x1", "skip_connect" })
expect.equal(arch.node3, { "none", "nor_conv_3x3", "skip_connect" })
for _ = 1, 200 do
  local drawn = cells:random()
  expect.is_true(cells:parse(tostring(drawn)) == drawn, "an architecture equals what its text stands for")
end
expect.raises("this is no NAS-Bench-201 architecture string", function() cells:parse("|none~0|+|none~0|") end)
expect.raises("this is no NAS-Bench-201 architecture string", function() cells:parse("none") end)
expect.raises("not a value of this space", function() cells:parse((text:gsub("none", "nothing"))) end)

-- Mutation draws the node first, then one of its edges, then another operation: Dong & Yang's own code. The bound is
-- four standard deviations of a binomial distribution.
local draws = 9000
local edges, replaced = {}, {}
for _ = 1, draws do
  local child = cells:mutate(arch)
  local changes = 0
  for node = 1, 3 do
    for edge, operation in ipairs(arch["node" .. node]) do
      local new = child["node" .. node][edge]
      if new ~= operation then
        changes = changes + 1
        edges[node * 10 + edge] = (edges[node * 10 + edge] or 0) + 1
        if node == 1 then replaced[new] = (replaced[new] or 0) + 1 end
      end
    end
  end
  expect.equal(changes, 1)
end
local function expect_share(count, total, p) expect.near(count / total, p, 4 * (p * (1 - p) / total) ^ 0.5) end
for place, p in pairs { [11] = 1 / 3, [21] = 1 / 6, [22] = 1 / 6, [31] = 1 / 9, [32] = 1 / 9, [33] = 1 / 9 } do
  expect_share(edges[place], draws, p)
end
for _, operation in ipairs(operations) do
  if operation ~= "avg_pool_3x3" then expect_share(replaced[operation], edges[11], 1 / 4) end
end

local near = {}
for neighbour in cells:neighbors(arch) do near[#near + 1] = neighbour:id() end
expect.equal(#near, 6 * 4)

-- MARK: any space

local space = nas.space {
  stem = nas.oneof { 8, 16, 24 },
  blocks = nas.list(2, { op = nas.oneof { "conv", "pool" }, expand = nas.int(1, 3) }),
  valid = function(arch) return arch.stem ~= 24 or arch.blocks[1].op == "conv" end,
}
local made = space:make { stem = 16, blocks = { { op = "conv", expand = 1 }, { op = "pool", expand = 3 } } }
expect.equal(made.stem, 16)
expect.equal(made.blocks[2], { op = "pool", expand = 3 })
expect.is_true(made:with("blocks[2].op", "pool") == made)
expect.equal(made:with("blocks[2].op", "conv").blocks[2].op, "conv")
expect.equal(made.blocks[2].op, "pool")
expect.is_true(space:parse(made:json()) == made)
expect.is_true(made:id() == space:make(made:values()):id())
expect.equal(({ [made] = "found" })[space:make(made:values())], "found") -- interned: usable as a key
expect.raises("no decision 'stemm'", function() made:with("stemm", 8) end)
expect.raises("space.blocks[2].expand", function() made:with("blocks[2].expand", 4) end)

local count, seen = 0, {}
for each in space:iterate() do
  count = count + 1
  expect.is_true(not seen[each], "every architecture comes once")
  seen[each] = true
  expect.is_true(each.stem ~= 24 or each.blocks[1].op == "conv", "only valid ones come")
end
expect.equal(space:size(), 3 * 6 * 6)
expect.equal(count, 2 * 36 + 18)
for _ = 1, 100 do expect.is_true(seen[space:random()]) end

local narrow = space:fix { stem = 8, ["blocks[1].op"] = { "conv" } }
expect.equal(narrow:size(), 3 * 6)
for _ = 1, 50 do
  local drawn = narrow:random()
  expect.equal(drawn.stem, 8)
  expect.equal(drawn.blocks[1].op, "conv")
end

local a = space:make { stem = 8, blocks = { { op = "conv", expand = 1 }, { op = "conv", expand = 1 } } }
local b = space:make { stem = 16, blocks = { { op = "pool", expand = 3 }, { op = "pool", expand = 3 } } }
local from_a = 0
for _ = 1, 400 do
  local child = space:crossover(a, b)
  expect.is_true(child.stem == 8 or child.stem == 16)
  for i = 1, 2 do expect.is_true(child.blocks[i].expand == 1 or child.blocks[i].expand == 3) end
  if child.stem == 8 then from_a = from_a + 1 end
end
expect_share(from_a, 400, 1 / 2)
expect.equal(#a:encode(), #b:encode())

expect.raises("'biuld' is a function", function() nas.space { op = nas.oneof { 1 }, biuld = function() end } end)
expect.raises("space.op", function() nas.space { op = nas.oneof {} } end)

-- MARK: an architecture never changes

local nested = nas.space { blocks = nas.list(2, { op = nas.oneof { "a", "b" } }), stem = nas.oneof { 8, 16 } }
local fixed = nested:make { blocks = { { op = "a" }, { op = "b" } }, stem = 8 }
local unchanged = "an architecture never changes: can't set '%s'. arch:with(path, value) gives a changed copy: "
  .. 'arch:with("blocks[2].op", "skip").'
expect.raises(unchanged:format("op"), function() fixed.blocks[1].op = "b" end)
expect.raises(unchanged:format("1"), function() fixed.blocks[1] = { op = "b" } end)
expect.raises(unchanged:format("stem"), function() fixed.stem = 16 end)
expect.raises(unchanged:format("width"), function() fixed.width = 16 end)
expect.equal(#fixed.blocks, 2)
local ops = {}
for index, block in ipairs(fixed.blocks) do ops[index] = block.op end
expect.equal(table.concat(ops), "ab")
expect.equal(fixed.blocks, { { op = "a" }, { op = "b" } })
expect.equal(nested:make { blocks = fixed.blocks, stem = 16 }, fixed:with("stem", 16))
expect.equal(fixed.blocks[3], nil)
local own = fixed:values()
own.blocks[1].op = "b"
expect.equal(nested:make(own), fixed:with("blocks[1].op", "b"))
