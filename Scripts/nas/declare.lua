-- `core.declare`: a Lua function of the public API with its declaration. The declaration is the one source for argument
-- checks, defaults, help and the reference.

local core = require "nas.core"

--- Returns `fn` behind the checks of `declaration`: positional parameters in its list part, then at most one table of
--- named `options`. Unknown options, wrong types and values out of range are errors at the caller's line.
function core.declare(name, declaration, fn)
  local id = core.register(name, declaration)
  local check = core.check
  return function(...) return fn(check(id, ...)) end
end

return core.declare
