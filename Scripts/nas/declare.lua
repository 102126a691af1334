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

--- Declares a class of tables: its `name`, the `object` in its methods' names (`search` of `search:evaluate`), `doc`, and
--- `fields` in the form of parameters. Tables with this metatable are then of that class, for checks and error texts.
--- Call it before the methods are declared.
function core.declare_class(metatable, declaration)
  core.register_class(declaration)
  metatable.__name = declaration.name
  return metatable
end

--- The `__index` of a class: its methods, nil for the fields that may be nil, an error with the nearest name for others,
--- among what is declared of it. A name that is one of its metrics is told so.
function core.class_index(class, name, optional)
  local may_be_nil = {}
  for _, field in ipairs(optional) do may_be_nil[field] = true end
  return function(object, key)
    local value = class[key]
    if value ~= nil or may_be_nil[key] then return value end
    local metrics, hint = rawget(object, "metrics"), nil
    if type(metrics) == "table" and metrics[key] ~= nil then
      hint = ("Did you mean '%s.metrics.%s'?"):format(name, tostring(key))
    end
    core.fail {
      message = ("a %s has no '%s'"):format(name, tostring(key)),
      hint = hint or core.suggest(tostring(key), core.members(name)),
    }
  end
end

--- Ends in the error that `problem` describes, with what was got instead, unless the list has elements.
function core.require_elements(list, problem)
  if #list > 0 then return end
  problem.got = next(list) == nil and "an empty list" or "a table with names"
  core.fail(problem)
end

return core.declare
