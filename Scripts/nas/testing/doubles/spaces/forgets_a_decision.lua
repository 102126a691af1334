-- A wrong space: the text leaves out the width, so parse can't know it.

return require "nas.testing.doubles.spaces.base" ({}, {
  name = "forgets_a_decision",
  format = function(arch) return arch.op end,
  parse = function(text) return { op = text, width = 4 } end,
})
