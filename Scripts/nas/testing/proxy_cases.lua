-- What the suite of proxies does with one: scores of networks whose weights are known.

local core = require "nas.core"
local nas = require "nas"

local cases = {}

--- Twelve architectures: the first ten at random, then 3×3 convolutions only, then skip connections only.
local function architectures(space)
  if space then
    local archs = {}
    for index = 1, 10 do archs[index] = space:random() end
    return space, archs
  end
  space = nas.spaces.nasbench201 { channels = 4, cells = 1 }
  local archs = {}
  for index = 1, 10 do archs[index] = space:random() end
  for _, op in ipairs { "nor_conv_3x3", "skip_connect" } do
    archs[#archs + 1] = space:make { node1 = { op }, node2 = { op, op }, node3 = { op, op, op } }
  end
  return space, archs
end

local function batches(data, count, first)
  local found = {}
  for batch in data:batches { size = 16, epochs = count + first, stream = "proxies" } do
    found[#found + 1] = batch
    if #found == count + first then break end
  end
  return table.unpack(found, first + 1)
end

--- The scores: all of them in turn, or `only` one; `again`: twice on the same network; `other`: on other batches.
function cases.scores(proxy, arguments, space, some_data)
  local data = some_data()
  local scores, texts, changed = {}, {}, nil
  local _, archs = architectures(space)
  for index, arch in ipairs(archs) do
    texts[index] = tostring(arch)
    if not arguments.only or arguments.only == index then
      local network = nas.network(arch, { data = data })
      local before = core.weights_digest(network)
      local score = proxy.score(network, batches(data, proxy.batches, arguments.other and 1 or 0))
      if core.weights_digest(network) ~= before then changed = changed or tostring(arch) end
      if arguments.again then score = proxy.score(network, batches(data, proxy.batches, 0)) end
      if type(score) ~= "number" then return { wrong = ("%s: %s"):format(arch, core.show(score)) } end
      scores[#scores + 1] = score
    end
  end
  return { scores = scores, archs = texts, changed = changed, direction = proxy.direction }
end

return cases
