-- Small spaces of every kind, without networks: what strategies are tried on.

local nas = require "nas"

local spaces = {}

--- Eight decisions with four options each: 65,536 architectures.
function spaces.plain()
  local fields = {}
  for index = 1, 8 do fields["op" .. index] = nas.oneof { "a", "b", "c", "d" } end
  return nas.space(fields, { name = "plain" })
end

--- Six architectures.
function spaces.tiny()
  return nas.space({ op = nas.oneof { "a", "b", "c" }, wide = nas.oneof { 1, 2 } }, { name = "tiny" })
end

function spaces.list()
  local block = { op = nas.oneof { "a", "b", "c" }, width = nas.oneof { 8, 16 } }
  return nas.space({ blocks = nas.list(3, block) }, { name = "list" })
end

function spaces.length()
  return nas.space({ blocks = nas.list(nas.int(1, 4), nas.oneof { "a", "b", "c" }) }, { name = "length" })
end

function spaces.int()
  return nas.space({ depth = nas.int(1, 9), width = nas.int(8, 256, { log = true }) }, { name = "int" })
end

function spaces.float()
  return nas.space({ lr = nas.float(1e-4, 1, { log = true }), drop = nas.float(0, 0.5) }, { name = "float" })
end

function spaces.manyof()
  return nas.space({
    inputs = nas.manyof(2, { "a", "b", "c", "d", "e" }),
    order = nas.manyof(2, { "x", "y", "z" }, { ordered = true }),
  }, { name = "manyof" })
end

function spaces.nested()
  local attention = { kind = "attention", heads = nas.oneof { 1, 2, 4 } }
  local squeeze = nas.oneof { { on = false }, { on = true, ratio = nas.int(2, 8) } }
  local conv = { kind = "conv", kernel = nas.oneof { 3, 5, 7 }, squeeze = squeeze }
  local block = nas.oneof { attention, conv, { kind = "skip" } }
  return nas.space({ block = block, width = nas.oneof { 8, 16, 32 } }, { name = "nested" })
end

--- Half of the architectures are not valid.
function spaces.valid()
  local fields = { valid = function(arch) return arch.op1 ~= arch.op2 or arch.op3 == "a" end }
  for index = 1, 4 do fields["op" .. index] = nas.oneof { "a", "b" } end
  return nas.space(fields, { name = "valid" })
end

return spaces
