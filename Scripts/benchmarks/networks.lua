-- Saves a network of the benchmark with fresh weights, and prints the folder.

local nas = require "nas"
local nn = nas.nn
local args = nas.args { network = "nasbench201", cell = "", cells = 1, random = 0, side = 32, stream = "" }

local makers = {}

--- A cell of NAS-Bench-201 with 16 channels; with `random` above 0 that many, drawn.
function makers.nasbench201()
  local space = nas.spaces.nasbench201 { channels = 16, cells = args.cells }
  local input = { args.side, args.side, 3 }
  if args.random == 0 then return { space:parse(args.cell) }, input end
  local archs = {}
  for index = 1, args.random do archs[index] = space:random() end
  return archs, input
end

--- Five inverted bottlenecks of 16 channels, 96 inside, on 28×28 images.
function makers.mobile()
  local space = nas.space {
    kernels = nas.list(5, nas.oneof { 3, 5 }),
    build = function(arch, x, task)
      x = nn.scope("stem", function() return nn.relu6(nn.batch_norm(nn.conv2d(x, 16, { kernel = 3 }))) end)
      for index, kernel in ipairs(arch.kernels) do
        x = nn.mbconv(x, 16, { kernel = kernel, expand = 6, name = "block" .. index })
      end
      return nn.linear(nn.global_avg_pool(x), task.classes, { name = "classifier" })
    end,
  }
  return { space:make { kernels = { 3, 5, 3, 5, 3 } } }, { 28, 28, 1 }
end

--- One Transformer block on 64 patches of a 32×32 image, 192 wide, with 3 heads.
function makers.transformer()
  local space = nas.space {
    heads = nas.oneof { 1, 3 },
    build = function(arch, x, task)
      x = nn.conv2d(x, 192, { kernel = 4, stride = 4, padding = 0, bias = true, name = "patches" })
      x = nn.transformer_block(nn.reshape(x, { 0, 64, 192 }), { heads = arch.heads })
      return nn.linear(nn.global_avg_pool(nn.reshape(x, { 0, 8, 8, 192 })), task.classes, { name = "classifier" })
    end,
  }
  return { space:make { heads = 3 } }, { 32, 32, 3 }
end

local archs, input = makers[args.network]()
local stream = args.stream ~= "" and args.stream or nil
for _, arch in ipairs(archs) do
  print(nas.network(arch, { input = input, classes = 10, stream = stream }):save())
end
