-- Equality of values by content, and where two values differ.

local compare = {}

--- A value on one line: texts quoted, keys in order, long ones cut.
function compare.show(value, depth)
  depth = depth or 0
  if type(value) == "string" then return ("%q"):format(value):gsub("\\\n", "\\n") .. "" end
  if type(value) ~= "table" then return tostring(value) end
  if depth == 4 then return "{…}" end
  local parts, length = {}, #value
  for key, item in pairs(value) do
    local text = compare.show(item, depth + 1)
    if math.type(key) ~= "integer" or key < 1 or key > length then text = ("%s = %s"):format(key, text) end
    parts[#parts + 1] = text
    if #parts == 20 then
      parts[#parts + 1] = "…"
      break
    end
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

local function step(path, key)
  if type(key) ~= "string" then return ("%s[%s]"):format(path, tostring(key)) end
  return path == "" and key or path .. "." .. key
end

--- Where `got` differs from `wanted`: the path, what was wanted there, what came; nil when they are equal.
function compare.difference(got, wanted, path)
  path = path or ""
  if got == wanted or got ~= got and wanted ~= wanted then return nil end
  if type(got) ~= "table" or type(wanted) ~= "table" then return { path = path, wanted = wanted, got = got } end
  for key, value in pairs(wanted) do
    local difference = compare.difference(got[key], value, step(path, key))
    if difference then return difference end
  end
  for key, value in pairs(got) do
    if wanted[key] == nil then return { path = step(path, key), wanted = nil, got = value } end
  end
end

return compare
