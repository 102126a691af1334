-- The module `nas.test`: what a test file uses. `nasrun test FILE` also gives these names as globals.

require "nas"
local describe = require "nas.testing.describe"

return {
  describe = describe.describe,
  it = describe.it,
  pending = describe.pending,
  before_each = describe.before_each,
  after_each = describe.after_each,
  expect = require "nas.testing.expect",
  conformance = require "nas.testing.conformance",
}
