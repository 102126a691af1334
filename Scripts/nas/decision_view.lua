-- The tables of an architecture's decisions, as `build` and `valid` get them (a name that the space doesn't have is an
-- error), and as a strategy reads them (read-only).

local core = require "nas.core"

--- Returns `close(value)` for a space with decisions of these names: it has the tables of `value` refuse all others.
--- A name that is another option's is nil, as in `if arch.kernel then …` of a conditional space.
function core.decision_view(names)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  local refusing = {
    __index = function(_, name)
      if type(name) ~= "string" or known[name] then return nil end
      core.fail {
        message = ("no decision '%s'"):format(name),
        expected = "one of " .. table.concat(names, ", "),
        hint = core.suggest(name, names),
      }
    end,
  }
  local function close(value)
    if type(value) ~= "table" then return value end
    for _, part in pairs(value) do close(part) end
    return setmetatable(value, refusing)
  end
  return close
end

--- The tables of an architecture's decisions, as `arch.blocks` gives them.
local decisions = core.read_only_metatable(function(name)
  return {
    message = ("an architecture never changes: can't set '%s'"):format(name),
    hint = 'arch:with(path, value) gives a changed copy: arch:with("blocks[2].op", "skip").',
  }
end)

--- Makes a value's tables read-only, and returns it.
function core.read_only_decisions(value) return core.make_read_only(value, decisions) end
