-- Genotypes of the DARTS space, as quark0/darts prints them (cnn/genotypes.py):
-- Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=[…], reduce_concat=[2, 3, 4, 5])

local core = require "nas.core"
local nas, genotype = core.public, {}

--- The operations of an edge, in the order of the reference.
genotype.operations = {
  "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
  "dil_conv_5x5",
}

local cells = { "normal", "reduce" }
local is_operation = {}
for _, operation in ipairs(genotype.operations) do is_operation[operation] = true end

local function wrong(text, got)
  nas.fail {
    message = "this is no DARTS genotype",
    expected = "Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], "
      .. "reduce=[…], reduce_concat=[2, 3, 4, 5]) with two pairs for each node",
    got = got or text,
  }
end

--- One cell: for each node its two edges, { op =, from = }, in the order of the text.
local function parse_cell(text, name)
  local list = text:match("[%(%s,]" .. name .. "%s*=%s*%[(.-)%]")
  if not list then wrong(text, "no " .. name .. "=[…]") end
  local nodes, edges = {}, 0
  for op, from in list:gmatch("%(%s*['\"]([%w_]+)['\"]%s*,%s*(%d+)%s*%)") do
    local node = edges // 2 + 1
    from = math.tointeger(from)
    if not is_operation[op] then wrong(text, "the operation '" .. op .. "'") end
    if from > node then wrong(text, ("an edge of node %d from node %d"):format(node + 1, from)) end
    nodes[node] = nodes[node] or {}
    table.insert(nodes[node], { op = op, from = from })
    edges = edges + 1
  end
  if edges ~= 8 then wrong(text, ("%d edges in %s"):format(edges, name)) end
  local concat = text:match(name .. "_concat%s*=%s*%[(.-)%]") or text:match(name .. "_concat%s*=%s*range%((.-)%)")
  concat = concat and concat:gsub("%s", "")
  if concat ~= "2,3,4,5" and concat ~= "2,6" then wrong(text, name .. "_concat other than [2, 3, 4, 5]") end
  return nodes
end

genotype.parse = nas.declare("nas.genotype.parse", {
  doc = [[
The cells of a genotype's text: { normal =, reduce = }, each a list of four nodes, each a list of two edges
{ op =, from = }, where 0 and 1 are the cell's inputs and 2 to 5 its nodes.]],
  source = "Liu et al. 2019 (DARTS), cnn/genotypes.py",
  { "text", "string", doc = "Genotype(normal=[…], …)" },
  returns = "table # { normal =, reduce = }",
}, function(text)
  local values = {}
  for _, name in ipairs(cells) do values[name] = parse_cell(text, name) end
  return values
end)

genotype.format = nas.declare("nas.genotype.format", {
  doc = "The text of a genotype's cells, exactly as the reference prints it.",
  source = "Liu et al. 2019 (DARTS), cnn/genotypes.py",
  { "values", "table", doc = "as genotype.parse gives them" },
  returns = "string",
}, function(values)
  local parts = {}
  for index, name in ipairs(cells) do
    local edges = {}
    for _, node in ipairs(values[name]) do
      for _, edge in ipairs(node) do edges[#edges + 1] = ("('%s', %d)"):format(edge.op, edge.from) end
    end
    parts[index] = ("%s=[%s], %s_concat=[2, 3, 4, 5]"):format(name, table.concat(edges, ", "), name)
  end
  return "Genotype(" .. table.concat(parts, ", ") .. ")"
end)

--- The two edges that a node keeps, of those with these mixing weights: each with its strongest operation but `none`.
local function strongest_edges(alphas)
  local edges = {}
  for from, weights in ipairs(alphas) do
    local best = 2
    for op = 3, #genotype.operations do
      if weights[op] > weights[best] then best = op end
    end
    edges[from] = { op = genotype.operations[best], from = from - 1, weight = weights[best] }
  end
  table.sort(edges, function(a, b)
    if a.weight ~= b.weight then return a.weight > b.weight end
    return a.from < b.from
  end)
  local kept = {}
  for index = 1, 2 do kept[index] = { op = edges[index].op, from = edges[index].from } end
  return kept
end

genotype.derive = nas.declare("nas.genotype.derive", {
  doc = [[
The genotype of a relaxed nas.spaces.darts { edges = "all" }: each node keeps the two edges whose strongest operation
but `none` has the largest softmax weight, the stronger edge first, each with that operation.]],
  source = "Liu et al. 2019 (DARTS), section 2.4; cnn/model_search.py, genotype()",
  { "alpha", "table", doc = "`alpha` of what nas.relax returns" },
  returns = "string",
}, function(alpha)
  local values = {}
  for _, name in ipairs(cells) do
    local edge, nodes = 0, {}
    for node = 1, 4 do
      local alphas = {}
      for from = 1, node + 1 do
        edge = edge + 1
        alphas[from] = nas.nn.softmax(alpha[("%s[%d]"):format(name, edge)]):totable()
      end
      nodes[node] = strongest_edges(alphas)
    end
    values[name] = nodes
  end
  return genotype.format(values)
end)

return genotype
