-- The cell space of DARTS: a normal and a reduction cell of four nodes with two inputs each.
-- Liu, Simonyan & Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.1.1; layers as in
-- quark0/darts (cnn/operations.py, model.py and model_search.py), without the auxiliary classifier.

local nas = require "nas"
local nn, genotype = nas.nn, nas.genotype

local nodes = 4

-- MARK: layers

local function norm(x, affine) return nn.batch_norm(x, { affine = affine }) end

--- ReLU, 1×1 convolution, batch norm.
local function relu_conv_bn(x, channels, affine)
  return norm(nn.conv2d(nn.relu(x), channels, { kernel = 1 }), affine)
end

--- Half of the channels from the even rows and columns, half from the odd ones.
local function factorized_reduce(x, channels, affine)
  local y = nn.relu(x)
  local even = nn.conv2d(y, channels // 2, { kernel = 1, stride = 2, name = "even" })
  y = nn.pad(y, { before = { 0, 0, 0, 0 }, after = { 0, 1, 1, 0 } })
  y = nn.slice(nn.slice(y, { axis = 2, start = 2 }), { axis = 3, start = 2 })
  local odd = nn.conv2d(y, channels - channels // 2, { kernel = 1, stride = 2, name = "odd" })
  return norm(nn.concat(even, odd), affine)
end

--- ReLU, depthwise and pointwise convolution, batch norm.
local function depthwise(x, kernel, stride, dilation, affine)
  local options = { kernel = kernel, stride = stride, dilation = dilation, groups = x.channels, name = "depthwise" }
  local y = nn.conv2d(nn.relu(x), x.channels, options)
  return norm(nn.conv2d(y, x.channels, { kernel = 1, name = "pointwise" }), affine)
end

local function sep_conv(x, kernel, stride, affine)
  x = nn.scope("a", function() return depthwise(x, kernel, stride, 1, affine) end)
  return nn.scope("b", function() return depthwise(x, kernel, 1, 1, affine) end)
end

--- A pooling operation; batch norm follows it in the search network alone, where all operations must be alike.
local function pool(x, kind, stride, is_search)
  local y = kind == "max" and nn.max_pool(x, { kernel = 3, stride = stride, padding = 1 })
    or nn.avg_pool(x, { kernel = 3, stride = stride, padding = 1, count_padding = false })
  return is_search and norm(y, false) or y
end

--- The branches of an edge. `options.drop` is the probability of dropping a path, never one that is the identity.
local function branches(x, stride, options)
  local affine = not options.is_search
  local function dropped(make)
    return function()
      local y = make()
      return options.drop > 0 and nn.drop_path(y, { rate = options.drop }) or y
    end
  end
  return {
    none = function() return nn.zero(x, { stride = stride }) end,
    skip_connect = stride == 1 and function() return x end
      or dropped(function() return factorized_reduce(x, x.channels, affine) end),
    max_pool_3x3 = dropped(function() return pool(x, "max", stride, options.is_search) end),
    avg_pool_3x3 = dropped(function() return pool(x, "avg", stride, options.is_search) end),
    sep_conv_3x3 = dropped(function() return sep_conv(x, 3, stride, affine) end),
    sep_conv_5x5 = dropped(function() return sep_conv(x, 5, stride, affine) end),
    dil_conv_3x3 = dropped(function() return depthwise(x, 3, stride, 2, affine) end),
    dil_conv_5x5 = dropped(function() return depthwise(x, 5, stride, 2, affine) end),
  }
end

-- MARK: the network

--- The edges into a node, { op =, from = } each: those that it picked, or all of them.
local function edges_into(node, cell, edges)
  if edges == "two" then return cell[node] end
  local all, before = {}, (node - 1) * (node + 2) // 2
  for from = 0, node do all[from + 1] = { op = cell[before + from + 1], from = from } end
  return all
end

--- A cell: its two inputs brought to `channels`, four nodes that each sum up their edges, all nodes side by side.
local function cell(arch, a, b, channels, is_reduction, after_reduction, options)
  local affine = not options.is_search
  local states = {
    nn.scope("input0", function()
      if after_reduction then return factorized_reduce(a, channels, affine) end
      return relu_conv_bn(a, channels, affine)
    end),
    nn.scope("input1", function() return relu_conv_bn(b, channels, affine) end),
  }
  for node = 1, nodes do
    local terms = {}
    for index, edge in ipairs(edges_into(node, arch, options.edges)) do
      local stride = is_reduction and edge.from < 2 and 2 or 1
      terms[index] = nn.scope(("edge%d_%d"):format(edge.from, node + 1), function()
        return nn.choice(edge.op, branches(states[edge.from + 1], stride, options))
      end)
    end
    states[node + 2] = nn.add(table.unpack(terms))
  end
  return nn.concat(table.unpack(states, 3))
end

local function network(arch, x, task, options)
  local stem = nn.scope("stem", function()
    return nn.batch_norm(nn.conv2d(x, 3 * options.channels, { kernel = 3 }))
  end)
  local before, here, channels, after_reduction = stem, stem, options.channels, false
  for index = 0, options.cells - 1 do
    local is_reduction = index == options.cells // 3 or index == 2 * options.cells // 3
    if is_reduction then channels = 2 * channels end
    before, here = here, nn.scope("cell" .. index, function()
      local kind = is_reduction and arch.reduce or arch.normal
      return cell(kind, before, here, channels, is_reduction, after_reduction, options)
    end)
    after_reduction = is_reduction
  end
  return nn.scope("head", function() return nn.linear(nn.global_avg_pool(here), task.classes) end)
end

-- MARK: decisions

--- The decisions of a cell: two edges into each node, each from another state with one operation; or one of all
--- operations for each of the 14 edges.
local function decisions(edges)
  local operations = genotype.operations
  if edges == "all" then return nas.list(14, nas.oneof(operations)) end
  local cell = {}
  for node = 1, nodes do
    local from = {}
    for state = 0, node do from[state + 1] = { from = state, op = nas.oneof { table.unpack(operations, 2) } } end
    cell[node] = nas.manyof(2, from)
  end
  return cell
end

--- A cell of all edges as nodes with those that are not `none`.
local function nodes_of(cell)
  local picked = {}
  for node = 1, nodes do
    picked[node] = {}
    for _, edge in ipairs(edges_into(node, cell, "all")) do
      if edge.op ~= "none" then table.insert(picked[node], edge) end
    end
  end
  return picked
end

--- A genotype, or where a node has not two edges, the operations of all.
local function format_all(arch)
  local cells, is_genotype = { normal = nodes_of(arch.normal), reduce = nodes_of(arch.reduce) }, true
  for _, picked in pairs(cells) do
    for _, edges in ipairs(picked) do is_genotype = is_genotype and #edges == 2 end
  end
  if is_genotype then return genotype.format(cells) end
  return ("normal: %s; reduce: %s"):format(table.concat(arch.normal, " "), table.concat(arch.reduce, " "))
end

--- A genotype as operations of all edges, `none` where it has no edge.
local function parse_all(text)
  local values = genotype.parse(text)
  for name, cell in pairs(values) do
    local all = {}
    for index = 1, 14 do all[index] = "none" end
    for node, edges in ipairs(cell) do
      for _, edge in ipairs(edges) do all[(node - 1) * (node + 2) // 2 + edge.from + 1] = edge.op end
    end
    values[name] = all
  end
  return values
end

return nas.declare("nas.spaces.darts", {
  doc = [[
The DARTS cell space: architectures are genotypes, as text exactly those of quark0/darts (a node's edges in the order of
their sources). With 36 channels and 20 cells it is the paper's network for CIFAR-10. edges = "two" gives those
networks; edges = "all" the search network: 14 edges to a cell, each with one of all 8 operations, for nas.relax and for
shared weights, where every choice stays open. `nas.genotype.derive(net.alpha)` is then the genotype that was
found.]],
  source = "Liu et al., ICLR 2019, section 3.1.1",
  options = {
    { "channels", "integer", min = 1, default = 16, doc = "of the first cell; doubled by each of the two reductions" },
    { "cells", "integer", min = 3, default = 8, doc = "reductions are at one and at two thirds" },
    { "edges", "string", one_of = { "two", "all" }, default = "two", doc = "two edges to a node, or all of them" },
    { "drop_path", "number", min = 0, max = 0.999, default = 0, doc = "probability of dropping an edge in training" },
  },
  returns = "Space",
}, function(options)
  local all, settings = options.edges == "all", {
    channels = options.channels, cells = options.cells, edges = options.edges, drop = options.drop_path,
    is_search = options.edges == "all",
  }
  return nas.space({
    normal = decisions(options.edges),
    reduce = decisions(options.edges),
    build = function(arch, x, task) return network(arch, x, task, settings) end,
  }, {
    name = "darts",
    format = all and format_all or genotype.format,
    parse = all and parse_all or genotype.parse,
  })
end)
