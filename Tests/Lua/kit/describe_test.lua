-- `describe`, `it` and their like, and what `nasrun test` makes of them.

local trace = {}

describe("the order of before_each and after_each", function()
  before_each(function() trace[#trace + 1] = "outer before" end)
  after_each(function() trace[#trace + 1] = "outer after" end)
  describe("in a group", function()
    before_each(function() trace[#trace + 1] = "inner before" end)
    after_each(function() trace[#trace + 1] = "inner after" end)
    it("is outer, inner, test, inner, outer", function() trace[#trace + 1] = "test" end)
  end)
  it("leaves out the hooks of other groups", function()
    expect(trace):to_equal { "outer before", "inner before", "test", "inner after", "outer after", "outer before" }
  end)
end)

describe("expect", function()
  it("compares tables by content", function()
    expect({ 1, { a = "x" } }):to_equal { 1, { a = "x" } }
    expect({ 1, 2 }).never:to_equal { 1 }
    expect(0 / 0):to_equal(0 / 0)
  end)
  it("says where tables differ", function()
    local first, second = { blocks = { { op = "a" }, { op = "b" } } }, { blocks = { { op = "a" }, { op = "c" } } }
    local ok, err = pcall(function() expect(first):to_equal(second) end)
    expect(ok):to_be_false()
    expect(err.expected):to_equal '"c" at blocks[2].op'
    expect(err.got):to_equal '"b"'
    expect(err.at):to_match "^describe_test.lua:%d+$"
  end)
  it("has matchers for numbers", function()
    expect(0.1 + 0.2):to_be_near(0.3)
    expect(1):to_be_above(0)
    expect(1):to_be_at_most(1)
    expect(2).never:to_be_below(2)
    expect(function() expect("1"):to_be_at_least(0) end):to_raise "expected a number ≥ 0"
  end)
  it("has matchers for texts, lists and types", function()
    expect("a recipe"):to_contain "rec"
    expect({ 1, { 2 } }):to_contain { 2 }
    expect("abc"):to_match "^a.c$"
    expect(1):to_be_a "integer"
    expect({}).never:to_be({})
    expect(nil):to_be_nil()
  end)
  it("catches errors", function()
    expect(function() error("on purpose") end):to_raise "purpose"
    expect(function() end).never:to_raise()
    expect(function() expect(1):to_be_true() end):to_raise "expected true, got 1"
    expect(function() expect(1):to_bee_true() end):to_raise "Did you mean 'to_be_true'?"
  end)
end)

it("can't be nested", function()
  expect(function() it("inside", function() end) end):to_raise "it was called inside a test"
end)
