-- The harness of `nasrun test FILE`: the file describes tests, then they run.

local core = require "nas.core"
local test = require "nas.test"
local describe = require "nas.testing.describe"
local selection = require "nas.testing.selection"

return {
  globals = {
    describe = test.describe, it = test.it, pending = test.pending, before_each = test.before_each,
    after_each = test.after_each, expect = test.expect,
  },
  run = function(arguments) describe.run(selection(arguments), core.test_result) end,
}
