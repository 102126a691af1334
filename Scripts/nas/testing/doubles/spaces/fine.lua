-- The small space, as it should be.

return require "nas.testing.doubles.spaces.base" ({}, { name = "fine" })
