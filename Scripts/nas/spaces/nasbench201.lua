-- The NAS-Bench-201 cell space, equal to the topology space of NATS-Bench.
-- Dong & Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020.
-- A cell has 4 nodes and 6 edges; each edge carries one of 5 operations: 15,625 cells.

local nas = require "nas"
local nn = nas.nn

local operations = { "none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3" }

local function conv_bn(x, channels, kernel, stride)
  return nn.batch_norm(nn.conv2d(x, channels, { kernel = kernel, stride = stride or 1 }))
end

local function relu_conv_bn(x, channels, kernel, stride)
  return conv_bn(nn.relu(x), channels, kernel, stride)
end

--- One edge of a cell: the operation that the decision chose.
local function edge(operation, x)
  return nn.choice(operation, {
    none = function() return nn.zero(x) end,
    skip_connect = function() return x end,
    nor_conv_1x1 = function() return relu_conv_bn(x, x.channels, 1) end,
    nor_conv_3x3 = function() return relu_conv_bn(x, x.channels, 3) end,
    avg_pool_3x3 = function() return nn.avg_pool(x, { kernel = 3, stride = 1, padding = 1, count_padding = false }) end,
  })
end

--- A cell: node n is the sum of its incoming edges; the last node is the output.
local function cell(arch, x)
  local nodes = { x }
  for target, edges in ipairs { arch.node1, arch.node2, arch.node3 } do
    local terms = {}
    for source, operation in ipairs(edges) do
      terms[source] = nn.scope(("edge%d_%d"):format(source - 1, target), function()
        return edge(operation, nodes[source])
      end)
    end
    nodes[target + 1] = #terms == 1 and terms[1] or nn.add(table.unpack(terms))
  end
  return nodes[4]
end

--- The reduction between stages: a basic residual block of stride 2 whose shortcut is an average pool and a 1×1
--- convolution without batch norm.
local function reduction(x, channels)
  local y = nn.scope("a", function() return relu_conv_bn(x, channels, 3, 2) end)
  y = nn.scope("b", function() return relu_conv_bn(y, channels, 3) end)
  local shortcut = nn.scope("shortcut", function()
    return nn.conv2d(nn.avg_pool(x, { kernel = 2, stride = 2, padding = 0 }), channels, { kernel = 1 })
  end)
  return nn.add(y, shortcut)
end

--- The network: stem, three stages of `cells` cells at 1, 2 and 4 times `channels`, batch norm, classifier.
local function network(arch, x, task, options)
  x = nn.scope("stem", function() return conv_bn(x, options.channels, 3) end)
  for stage = 1, 3 do
    local channels = options.channels * 2 ^ (stage - 1) // 1 | 0
    if stage > 1 then
      x = nn.scope("reduction" .. stage - 1, function() return reduction(x, channels) end)
    end
    for index = 1, options.cells do
      x = nn.scope(("stage%d_cell%d"):format(stage, index), function() return cell(arch, x) end)
    end
  end
  return nn.scope("head", function()
    return nn.linear(nn.global_avg_pool(nn.relu(nn.batch_norm(x))), task.classes)
  end)
end

--- `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|` from the decisions.
local function format(arch)
  local groups = {}
  for target, edges in ipairs { arch.node1, arch.node2, arch.node3 } do
    local parts = {}
    for source, operation in ipairs(edges) do parts[source] = operation .. "~" .. (source - 1) end
    groups[target] = "|" .. table.concat(parts, "|") .. "|"
  end
  return table.concat(groups, "+")
end

--- The decisions from an architecture string.
local function parse(text)
  local values, target = {}, 0
  for group in (text .. "+"):gmatch("(.-)%+") do
    target = target + 1
    local edges = {}
    for operation, source in group:gmatch("|([%w_]+)~(%d)") do
      if tonumber(source) ~= #edges then break end
      edges[#edges + 1] = operation
    end
    if #edges ~= target or target > 3 then
      nas.fail {
        message = "this is no NAS-Bench-201 architecture string",
        expected = "|op~0|+|op~0|op~1|+|op~0|op~1|op~2| with ops " .. table.concat(operations, ", "),
        got = text,
      }
    end
    values["node" .. target] = edges
  end
  return values
end

return nas.declare("nas.spaces.nasbench201", {
  doc = [[
The NAS-Bench-201 cell space (15,625 cells). With 16 channels, 5 cells and 32×32×3 input the network is the
benchmark's own. Mutation draws the node first, then one of its edges, as the benchmark's evolution does.]],
  source = "Dong & Yang, ICLR 2020, section 2.1",
  options = {
    { "channels", "integer", min = 1, default = 16, doc = "channels of the first stage" },
    { "cells", "integer", min = 1, default = 5, doc = "cells in each of the three stages (N)" },
  },
  returns = "Space",
}, function(options)
  local channels, cells = options.channels, options.cells
  return nas.space({
    node1 = nas.list(1, nas.oneof(operations)),
    node2 = nas.list(2, nas.oneof(operations)),
    node3 = nas.list(3, nas.oneof(operations)),
    build = function(arch, x, task)
      return network(arch, x, task, { channels = channels, cells = cells })
    end,
  }, { name = "nasbench201", mutation = "branch", format = format, parse = parse })
end)
