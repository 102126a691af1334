-- `describe`, `it`, `before_each`, `after_each`, `pending`: tests as a tree, run after the file has been read.

local core = require "nas.core"
local failure = require "nas.testing.failure"

local describe = {}

local function group(name, parent)
  return { name = name, parent = parent, before = {}, after = {}, members = {} }
end

local root = group(nil, nil)
local current = root
local is_running = false

local function check_place(what)
  if is_running then
    core.fail {
      message = what .. " was called inside a test",
      hint = "Call it in the file or in a describe, not in an it.",
    }
  end
end

describe.describe = core.declare("nas.test.describe", {
  doc = "A group of tests; groups may hold groups.",
  context = "test",
  { "name", "string", doc = "for the report" },
  { "body", "function", doc = "calls describe, it, before_each, after_each, pending" },
  returns = "nothing",
}, function(name, body)
  check_place "describe"
  local outer = current
  current = group(name, outer)
  outer.members[#outer.members + 1] = current
  body()
  current = outer
end)

describe.it = core.declare("nas.test.it", {
  doc = "A test. It fails when its function raises an error; the others run all the same.",
  context = "test",
  { "name", "string", doc = "for the report" },
  { "body", "function", doc = "no arguments" },
  returns = "nothing",
}, function(name, body)
  check_place "it"
  current.members[#current.members + 1] = { name = name, body = body }
end)

describe.pending = core.declare("nas.test.pending", {
  doc = "A test that is yet to be written or mended: counted, not run.",
  context = "test",
  { "name", "string", doc = "for the report" },
  { "body", "function", optional = true, doc = "as of `it`; it is not called" },
  returns = "nothing",
}, function(name)
  check_place "pending"
  current.members[#current.members + 1] = { name = name }
end)

describe.before_each = core.declare("nas.test.before_each", {
  doc = "Calls `body` before each test of the group and of those in it; outer ones first.",
  context = "test",
  { "body", "function", doc = "no arguments" },
  returns = "nothing",
}, function(body)
  check_place "before_each"
  current.before[#current.before + 1] = body
end)

describe.after_each = core.declare("nas.test.after_each", {
  doc = "Calls `body` after each test of the group and of those in it, also after one that failed; inner ones first.",
  context = "test",
  { "body", "function", doc = "no arguments" },
  returns = "nothing",
}, function(body)
  check_place "after_each"
  current.after[#current.after + 1] = body
end)

-- MARK: running

--- Calls what comes before, the test, and what comes after; the first error counts.
local function attempt(test, groups)
  local ok, err = pcall(function()
    for _, each in ipairs(groups) do
      for _, before in ipairs(each.before) do before() end
    end
    test.body()
  end)
  for index = #groups, 1, -1 do
    for _, after in ipairs(groups[index].after) do
      local fine, problem = pcall(after)
      if ok and not fine then ok, err = false, problem end
    end
  end
  return ok, err
end

local function result_of(name, test, groups)
  if not test.body then return { name = name, outcome = "pending" } end
  local ok, err = attempt(test, groups)
  local result = ok and {} or failure(err)
  result.name, result.outcome = name, ok and "passed" or "failed"
  return result
end

--- Runs the tests whose full names `wants`, and tells each result.
local function run(node, groups, prefix, wants, tell)
  groups = table.move(groups, 1, #groups, 1, {})
  groups[#groups + 1] = node
  for _, member in ipairs(node.members) do
    local name = prefix == "" and member.name or prefix .. " > " .. member.name
    if member.members then
      run(member, groups, name, wants, tell)
    elseif wants(name) then
      tell(result_of(name, member, groups))
    end
  end
end

--- Runs all tests of the file; `tell` gets each result.
function describe.run(wants, tell)
  is_running = true
  run(root, {}, "", wants, tell)
  is_running = false
end

return describe
