-- The harness of one rehearsal: hands what the file returned to a case of the suite.

local subject = require "nas.testing.subject"

return {
  run = function(request, value)
    local cases = require("nas.testing." .. request.kind .. "_cases")
    local thing, space, data, again = subject(request.kind, request.options, value)
    return cases[request.case](thing, request.arguments, space, data, again)
  end,
}
