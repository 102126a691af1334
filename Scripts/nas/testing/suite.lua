-- Puts a strategy, space, proxy or evaluator through the checks of its kind: the harness of
-- `nasrun test --strategy FILE` and its like, and `nas.test.conformance`.

local core = require "nas.core"
require "nas"
local Kit = require "nas.testing.kit"
local failure = require "nas.testing.failure"
local selection = require "nas.testing.selection"

--- The result of a check: passed, or the verdict that ended it over what the check says by itself.
local function result_of(check, kit)
  local ok, err = pcall(check.run, kit)
  if ok then return { name = check.name, outcome = "passed" } end
  local verdict = type(err) == "table" and err.verdict
  if not verdict then
    verdict = failure(err)
    verdict.got = verdict.got or verdict.message
  end
  local result = { name = check.name, outcome = verdict.outcome or "failed" }
  for _, key in ipairs { "did", "expected", "got", "mend" } do result[key] = verdict[key] or check[key] end
  return result
end

--- Runs the checks of a kind and tells each result. When one that is `essential` fails, the others can't tell anything.
local function run(kind, subject, settings, tell)
  local kit, wants = Kit.new(kind, subject, settings), selection(settings)
  local broken
  for _, check in ipairs(require("nas.testing." .. kind .. "_checks")) do
    if check.essential or wants(check.name) then
      local result = broken and { name = check.name, outcome = "skipped", waits_for = broken }
        or result_of(check, kit)
      if check.essential and result.outcome == "failed" then broken = check.name end
      if wants(check.name) or broken == check.name then tell(result) end
    end
  end
end

return {
  suite = run,
  run = function(arguments) run(arguments.kind, nil, arguments, core.test_result) end,
}
