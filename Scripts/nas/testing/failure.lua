-- What went wrong, from whatever was raised: a message, the place, expected and got.

local core = require "nas.core"

--- The fields of an error as a result of a test has them.
return function(err)
  if type(err) == "userdata" then
    local message = err.message or tostring(err)
    if err.path then message = err.path .. ": " .. message end
    if err.cause then message = ("%s (%s)"):format(message, err.cause) end
    return { at = err.at, message = message, expected = err.expected, got = err.got, mend = err.hint }
  end
  if type(err) == "table" and type(err.message) == "string" then
    return { at = err.at, message = err.message, expected = err.expected, got = err.got, mend = err.hint }
  end
  if type(err) ~= "string" then
    return { message = "an error without a text", expected = 'error("what went wrong")', got = core.show(err) }
  end
  local place, message = err:match("^([^:\n]+:%d+): (.*)$")
  return { at = place, message = message or err }
end
