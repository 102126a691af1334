-- How the names of a weight file become paths of a network, for `network:load`.

local core = require "nas.core"

--- The path that a pattern's template gives for a name; nil when the pattern doesn't match the whole name.
local function filled(pattern, template, name)
  local whole = "^" .. pattern .. "$"
  local ok, path = pcall(function() return name:find(whole) and (name:gsub(whole, template)) or nil end)
  if ok then return path end
  core.fail {
    message = "network:load: map has a wrong Lua pattern or template",
    got = ('["%s"] = "%s"'):format(tostring(pattern), tostring(template)),
    hint = "A name that has magic characters needs a % before each: features%.0.",
  }
end

--- The path for `name`: what the function `map` returns; or what the table `map` has for it, as an exact name, or as a
--- pattern that matches the whole name, with `%1` … in its path. Nil: the array isn't wanted.
function core.mapped_name(map, name)
  if type(map) == "function" then return map(name) end
  if map[name] then return map[name] end
  local found, path
  for pattern, template in pairs(map) do
    local filled_path = filled(pattern, template, name)
    if filled_path then
      if found then
        core.fail {
          message = "two patterns of map match '" .. name .. "'",
          got = found < pattern and found .. " and " .. pattern or pattern .. " and " .. found,
        }
      end
      found, path = pattern, filled_path
    end
  end
  return path
end
