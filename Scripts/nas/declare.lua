-- `core.declare`: a Lua function of the public API with its declaration. The declaration is the one source for argument
-- checks, defaults, help and the reference.

local core = require "nas.core"

--- What each declared function was declared with.
core.declared = {}

--- Returns `fn` behind the checks of `declaration`: positional parameters in its list part, then at most one table of
--- named `options`. Unknown options, wrong types and values out of range are errors at the caller's line.
function core.declare(name, declaration, fn)
  local checked = core.checked(core.check, core.register(name, declaration), fn)
  core.declared[checked] = declaration
  return checked
end

--- The `__index` of a class: its methods, nil for the fields that may be nil, an error with the nearest name for others.
function core.class_index(class, name, optional)
  local may_be_nil = {}
  for _, field in ipairs(optional) do may_be_nil[field] = true end
  return function(_, key)
    local value = class[key]
    if value ~= nil or may_be_nil[key] then return value end
    local names = {}
    for known in pairs(class) do names[#names + 1] = known end
    core.fail { message = ("a %s has no '%s'"):format(name, tostring(key)), hint = core.suggest(tostring(key), names) }
  end
end

return core.declare
