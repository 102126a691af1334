-- What the Lua tests check with. A failed check is an error at the line of the test.

local expect = {}

local function show(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = tostring(key) .. " = " .. show(item) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

--- The values are equal; tables by their content.
function expect.equal(got, wanted)
  if not same(got, wanted) then error(("expected %s, got %s"):format(show(wanted), show(got)), 2) end
end

--- The number lies within `tolerance` of what is wanted.
function expect.near(got, wanted, tolerance)
  if not (math.abs(got - wanted) <= tolerance) then
    error(("expected %g ± %g, got %g"):format(wanted, tolerance, got), 2)
  end
end

function expect.is_true(condition, what)
  if not condition then error(what or "expected true, got " .. tostring(condition), 2) end
end

--- The function raises an error whose text holds `part`.
function expect.raises(part, fn)
  local ok, err = pcall(fn)
  if ok then error(("expected the error '%s', got none"):format(part), 2) end
  if not tostring(err):find(part, 1, true) then
    error(("expected the error '%s', got '%s'"):format(part, tostring(err)), 2)
  end
end

return expect
