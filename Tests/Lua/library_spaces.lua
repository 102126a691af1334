-- The spaces "darts" and "mobile": sizes, texts, and networks against those that PyTorch counted.

local nas = require "nas"
local expect = require "expect"
local references = require "references.spaces"

--- The error's text from its message on.
local function error_of(fn, ...)
  local ok, err = pcall(fn, ...)
  expect.is_true(not ok, "no error")
  return (tostring(err):gsub("^[%w_%.]+:%d+: ", ""))
end

local function counts(arch, size, classes)
  local network = nas.network(arch, { input = { size, size, 3 }, classes = classes })
  return { params = network.params, macs = network.macs }
end

-- MARK: DARTS

for _, case in ipairs(references.darts) do
  local space = nas.spaces.darts { channels = case.channels, cells = case.cells }
  local arch = space:parse(case.text)
  expect.equal(counts(arch, case.size, 10), { params = case.params, macs = case.macs })
  -- The reference prints a node's edges by their weights, nasrun by their sources.
  local text = tostring(arch)
  expect.equal(tostring(space:parse(text)), text)
  if case.name ~= "V2" then expect.equal(text, case.text) end
end

-- The figure of the paper's table 1, 3.3 M, and the search network's size in the authors' logs, 1.930618 M.
expect.equal(references.darts[1].params, 3349342)
local search_space = nas.spaces.darts { channels = 16, cells = 8, edges = "all" }
expect.equal(references.search_network.params, 1930618)

-- Pairs of sources: 1, 3, 6 and 10; 7 operations for each edge; two cells.
local space = nas.spaces.darts { channels = 4, cells = 3 }
expect.near(space:size() / (180 * 7 ^ 8) ^ 2, 1, 1e-12)
expect.equal(search_space:size() / 8.0 ^ 28, 1.0)

local python3 = references.darts[1].text:gsub("%[2, 3, 4, 5%]", "range(2, 6)")
expect.is_true(space:parse(python3) == space:parse(references.darts[1].text))
expect.equal(
  error_of(space.parse, space, (references.darts[1].text:gsub("dil_conv_3x3", "dil_conv_7x7"))),
  "this is no DARTS genotype: expected Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], "
    .. "reduce=[…], reduce_concat=[2, 3, 4, 5]) with two pairs for each node, got the operation 'dil_conv_7x7'")
expect.raises("an edge of node 2 from node 2", function()
  space:parse((references.darts[1].text:gsub("'sep_conv_3x3', 1", "'sep_conv_3x3', 2", 1)))
end)
expect.raises("got 0 edges in normal", function() space:parse("Genotype(normal=[], normal_concat=[2, 3, 4, 5])") end)

-- All edges: a genotype is the architecture that has no other edges, and it prints as itself.
local all = nas.spaces.darts { channels = 4, cells = 3, edges = "all" }
local drawn = space:random()
expect.equal(tostring(all:parse(tostring(drawn))), tostring(drawn))
expect.is_true(tostring(all:random()):find("^normal: "))
expect.equal(#all:decisions(), 28)

-- Node 1 of the normal cell: edge 1 has its strongest operation but none at 0.3, edge 2 at 0.5, so edge 2 comes first.
local alpha = {}
for _, name in ipairs { "normal", "reduce" } do
  for edge = 1, 14 do alpha[("%s[%d]"):format(name, edge)] = nas.zeros { 8 } end
end
local log = math.log
alpha["normal[1]"] = nas.tensor { log(0.6), -9, -9, -9, log(0.3), -9, -9, log(0.1) }
alpha["normal[2]"] = nas.tensor { -9, log(0.5), log(0.2), log(0.3), -9, -9, -9, -9 }
local derived = nas.genotype.parse(nas.genotype.derive(alpha))
expect.equal(derived.normal[1], { { op = "max_pool_3x3", from = 1 }, { op = "sep_conv_3x3", from = 0 } })
expect.equal(derived.reduce[4], { { op = "max_pool_3x3", from = 0 }, { op = "max_pool_3x3", from = 1 } })

-- Dropped paths cost no parameters and change what a training computes.
local data = nas.data.open("shapes", { valid = 0.5, limit = 200 })
local function loss_of(rate)
  local arch = nas.spaces.darts({ channels = 4, cells = 3, drop_path = rate }):make(drawn)
  local network = nas.network(arch, { data = data, stream = "drop" })
  local loss
  network:fit { data = data, epochs = 1, batch = 16, on_epoch = function(_, report) loss = report.train_loss end }
  return loss, network.params
end
local plain, params = loss_of(0)
local dropped, same = loss_of(0.5)
expect.equal(params, same)
expect.is_true(math.abs(plain - dropped) > 1e-4, ("%g and %g"):format(plain, dropped))

-- The search network relaxes and shares its weights as a whole.
local net = nas.relax(all, { data = data })
local batch = data:batches { split = "train", size = 8 }()
local loss = net:loss(batch)
loss:backward()
local touched = 0
for _, tensor in pairs(net.alpha) do
  if tensor.grad then touched = touched + 1 end
end
expect.equal(touched, 28)
local weights = nas.weights(all, { data = data })
for _ = 1, 2 do
  local scores = weights:evaluate(all:random(), { bn = "batch" })
  expect.is_true(scores.accuracy >= 0 and scores.loss > 0)
end
expect.equal(
  error_of(nas.relax, space, { data = data }),
  "space.normal[1]: a decision can't be relaxed: expected a oneof or manyof of plain values that is always active, "
    .. 'got manyof. Decide it first: space:fix { ["normal[1]"] = … }.')

-- MARK: mobile

local function stage(count, values)
  local blocks = {}
  for index = 1, count do blocks[index] = values end
  return blocks
end
local v2 = nas.spaces.mobile {
  channels = { 16, 24, 32, 64, 96, 160, 320 }, strides = { 1, 2, 2, 2, 1, 2, 1 }, depths = { 1, 2, 3, 4, 3, 3, 1 },
  kernels = { 3 }, expansions = { 1, 6 }, squeeze_excite = { 0 }, widths = { 1 }, resolutions = { 1 },
  stem = 32, stem_stride = 2, head = 1280,
}
local stages = { stage(1, { expand = 1 }) }
for index, count in ipairs { 2, 3, 4, 3, 3, 1 } do stages[index + 1] = stage(count, { expand = 6 }) end
expect.equal(counts(v2:make { stages = stages }, 224, 1000), references.mobilenet_v2)

local mobile = nas.spaces.mobile { channels = { 16, 24, 32 } }
local mixed = mobile:make {
  width = 1, resolution = 0.75,
  stages = {
    { { kernel = 5, expand = 3, squeeze_excite = 0.25 }, { kernel = 3, expand = 6, squeeze_excite = 0 } },
    { { kernel = 7, expand = 4, squeeze_excite = 0.25 } },
    {
      { kernel = 3, expand = 3, squeeze_excite = 0 }, { kernel = 5, expand = 4, squeeze_excite = 0.25 },
      { kernel = 7, expand = 6, squeeze_excite = 0 },
    },
  },
}
-- Images of 16 × 16 at 0.75 are 12 × 12: what PyTorch counted.
expect.equal(counts(mixed, 16, 10), references.mobile_mixed)
expect.is_true(counts(mixed:with("resolution", 1), 16, 10).macs > references.mobile_mixed.macs)
expect.equal(counts(mixed:with("resolution", 1), 16, 10).params, references.mobile_mixed.params)

-- Blocks of 3 · 3 · 2 kinds; stages of up to 2, 3 and 3 blocks; 3 widths and 2 resolutions.
expect.equal(mobile:size() / (6.0 * (18 + 18 ^ 2) * (18 + 18 ^ 2 + 18 ^ 3) ^ 2), 1.0)
-- Half of 24 channels are 12, of which the nearest multiple of 8 that keeps nine tenths is 16.
local half = nas.network(mixed:with("width", 0.5), { input = { 16, 16, 3 }, classes = 10 })
expect.is_true(half.params < references.mobile_mixed.params)

local shared = nas.weights(mobile:fix { width = 0.5 }, { data = data })
for _ = 1, 2 do
  expect.is_true(shared:evaluate(mobile:fix({ width = 0.5 }):random(), { bn = "batch" }).loss > 0)
end
expect.raises("a decision can't be relaxed", function() nas.relax(mobile, { data = data }) end)
expect.equal(
  error_of(nas.spaces.mobile, { strides = { 1, 2 } }),
  "nas.spaces.mobile: wrong stages: expected channels, strides and depths of the same length, at least 1, "
    .. "got 3, 2 and 3")
expect.equal(
  error_of(nas.spaces.mobile, { kernels = {} }),
  "nas.spaces.mobile: no values for 'kernels': expected such as kernels = { 3, 5 }, got {}")

-- MARK: the input function of any space

local function sized(input)
  return nas.space { size = nas.oneof { 8, 12 }, input = input, build = function(arch, x, task)
    expect.equal({ x.height, x.width }, { task.input[1], task.input[2] })
    return nas.nn.linear(nas.nn.global_avg_pool(nas.nn.conv2d(x, 4, { kernel = 3 })), task.classes)
  end }
end
local two = sized(function(arch) return { arch.size, arch.size } end)
-- A 3 × 3 convolution from 3 to 4 channels, and 4 + 1 inputs to each of 10 classes.
expect.equal(counts(two:make { size = 8 }, 16, 10).macs, 8 * 8 * 4 * 27 + 50)
expect.equal(counts(two:make { size = 12 }, 16, 10).macs, 12 * 12 * 4 * 27 + 50)
expect.equal(
  error_of(counts, sized(function() return 8 end):make { size = 8 }, 16, 10),
  "space.input: wrong result of the space's input function: expected { height, width } in pixels, got 8. "
    .. "End it with `return { …, … }`.")
