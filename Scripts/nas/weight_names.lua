-- How the names of a weight file become paths of a network, for `network:load`.

local core = require "nas.core"

--- The path for `name`: what the function `map` returns; or what the table `map` has for it, as an exact name, or as a
--- pattern that matches the whole name, with `%1` … in its path. Nil: the array isn't wanted.
function core.mapped_name(map, name)
  if type(map) == "function" then return map(name) end
  if map[name] then return map[name] end
  local found, path
  for pattern, template in pairs(map) do
    local whole = "^" .. pattern .. "$"
    if name:find(whole) then
      if found then
        core.fail {
          message = "two patterns of map match '" .. name .. "'",
          got = found < pattern and found .. " and " .. pattern or pattern .. " and " .. found,
        }
      end
      found, path = pattern, name:gsub(whole, template)
    end
  end
  return path
end
