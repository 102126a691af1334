-- A wrong space: `valid` rejects one option everywhere.

return require "nas.testing.doubles.spaces.base" ({
  valid = function(arch) return arch.op ~= "skip" end,
}, { name = "never_skips" })
