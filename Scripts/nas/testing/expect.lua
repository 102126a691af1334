-- `expect(value)`: what a test checks with. A failed check is an error at the line of the test.

local core = require "nas.core"
local compare = require "nas.testing.compare"
local show = compare.show

local matchers = {}

--- Equal by content: tables by their fields, NaN to itself.
function matchers.to_equal(value, wanted)
  local difference = compare.difference(value, wanted)
  if not difference then return true, show(wanted), show(value) end
  local at = difference.path ~= "" and (" at %s"):format(difference.path) or ""
  return false, show(difference.wanted) .. at, show(difference.got)
end

--- The very same value: tables and functions by identity.
function matchers.to_be(value, wanted) return rawequal(value, wanted) or value == wanted, show(wanted), show(value) end

--- Within `tolerance` (default 1e-9) of a number.
function matchers.to_be_near(value, wanted, tolerance)
  tolerance = tolerance or 1e-9
  local near = type(value) == "number" and math.abs(value - wanted) <= tolerance
  local got = type(value) == "number" and ("%.17g"):format(value) or show(value)
  return near, ("%.17g ± %g"):format(wanted, tolerance), got
end

function matchers.to_be_true(value) return value == true, "true", show(value) end
function matchers.to_be_false(value) return value == false, "false", show(value) end
function matchers.to_be_nil(value) return value == nil, "nil", show(value) end

--- Of a type, as `type` or `math.type` name it: "table", "integer".
function matchers.to_be_a(value, kind)
  return type(value) == kind or math.type(value) == kind, "a value of the type " .. kind, show(value)
end

local function ordered(symbol, holds)
  return function(value, bound)
    return type(value) == "number" and holds(value, bound), ("a number %s %s"):format(symbol, show(bound)), show(value)
  end
end
matchers.to_be_above = ordered(">", function(a, b) return a > b end)
matchers.to_be_below = ordered("<", function(a, b) return a < b end)
matchers.to_be_at_least = ordered("≥", function(a, b) return a >= b end)
matchers.to_be_at_most = ordered("≤", function(a, b) return a <= b end)

--- A text holds a part, or a list an element.
function matchers.to_contain(value, part)
  if type(value) == "string" then
    return value:find(part, 1, true) ~= nil, "a text with " .. show(part), show(value)
  end
  local found = false
  for _, item in pairs(type(value) == "table" and value or {}) do
    found = found or compare.difference(item, part) == nil
  end
  return found, "a list with " .. show(part), show(value)
end

--- A text matches a Lua pattern.
function matchers.to_match(value, pattern)
  return type(value) == "string" and value:find(pattern) ~= nil, "a text that matches " .. show(pattern), show(value)
end

--- The function raises an error, whose text holds `part`.
function matchers.to_raise(fn, part)
  local ok, err = pcall(fn)
  local text = not ok and tostring(err) or nil
  local wanted = part and "an error with " .. show(part) or "an error"
  return text ~= nil and (part == nil or text:find(part, 1, true) ~= nil), wanted, text and show(text) or "no error"
end

local Expectation = {}

--- The matchers of a value; `never` turns them round.
local function expectation(value, negated)
  return setmetatable({}, {
    __index = function(_, name)
      if name == "never" then return expectation(value, not negated) end
      local method = Expectation[name]
      if not method then
        local names = { "never" }
        for known in pairs(matchers) do names[#names + 1] = known end
        local message = ("expect(…) has no '%s'"):format(tostring(name))
        core.fail { message = message, hint = core.suggest(tostring(name), names) }
      end
      return function(_, ...) return method(value, negated, ...) end
    end,
  })
end

for name, matcher in pairs(matchers) do
  Expectation[name] = function(value, negated, ...)
    local holds, expected, got = matcher(value, ...)
    if holds == not negated then return end
    core.fail {
      message = ("expect(…)%s:%s failed"):format(negated and ".never" or "", name),
      expected = (negated and "anything but " or "") .. expected,
      got = got,
    }
  end
end

-- Registered without argument checks, which refuse NaN.
core.register("nas.test.expect", {
  doc = [[
What a test checks with: expect(value):to_equal(wanted). Matchers: to_equal (by content), to_be (the same value),
to_be_near(wanted, tolerance), to_be_true, to_be_false, to_be_nil, to_be_a(type), to_be_above, to_be_below,
to_be_at_least, to_be_at_most, to_contain(part), to_match(pattern), to_raise(part of the text). expect(value).never:…
turns one round. A failed one is an error at the caller's line, with what was expected and what came.]],
  context = "test",
  { "value", "any", optional = true, doc = "what is checked" },
  returns = "table # its matchers",
})

return function(value) return expectation(value, false) end
