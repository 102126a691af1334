-- Tables that a script may read but not change: an architecture's decisions, finished trials.

local core = require "nas.core"

--- A metatable of read-only tables. To set `name` in one is the error that `refusal(name)` describes; what it doesn't have
--- is asked of `otherwise(table, name)`, or is nil.
function core.read_only_metatable(refusal, otherwise)
  return {
    __index = otherwise and function(object, name)
      local value = rawget(object, name)
      if value ~= nil then return value end
      return otherwise(object, name)
    end or rawget,
    __len = rawlen,
    __newindex = function(_, name) core.fail(refusal(tostring(name))) end,
  }
end

--- Gives a value's tables, and those in them, this metatable and makes them read-only; returns the value.
function core.make_read_only(value, metatable)
  if type(value) ~= "table" then return value end
  for _, part in pairs(value) do core.make_read_only(part, metatable) end
  core.freeze(setmetatable(value, metatable))
  return value
end
