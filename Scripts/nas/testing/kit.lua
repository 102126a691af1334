-- What the checks of a suite work with: rehearsals of the subject, and verdicts on them.

local core = require "nas.core"

local Kit = {}
Kit.__index = Kit

--- `subject` is the name of a module, nil for the file that was named on the command line.
function Kit.new(kind, subject, settings)
  return setmetatable({
    kind = kind, subject = subject, settings = settings, kept = {},
  }, Kit)
end

--- Runs a case with the subject in a fresh VM. Options: `seed`, `interrupt_after` (numbers of trials), `seconds` (the
--- longest that it may take), `subject` (another module). Returns what came of it: `returned` or `fault`, `requests` by
--- the name of the search, `journal`, `late`.
function Kit:rehearse(case, arguments, options)
  options = options or {}
  return core.rehearse {
    module = "nas.testing.rehearsal",
    subject = options.subject or self.subject,
    seed = options.seed,
    interrupt_after = options.interrupt_after,
    seconds = options.seconds or 60,
    arguments = {
      kind = self.kind, case = case, arguments = arguments or {},
      options = options.subject and {} or self.settings.options or {},
    },
  }
end

--- Ends the check with a verdict: `got`, and what is other than the check says by itself.
function Kit.verdict(fields) error({ verdict = fields }, 0) end

--- The fault of a rehearsal in one line.
function Kit.fault_text(outcome)
  if outcome.late then return "it was still at work when its time was up" end
  return outcome.fault and outcome.fault.text
end

--- Like `rehearse`, but a rehearsal that failed or took too long ends the check.
function Kit:play(case, arguments, options)
  local outcome = self:rehearse(case, arguments, options)
  local problem = self.fault_text(outcome)
  if problem then self.verdict { got = problem, mend = outcome.fault and outcome.fault.hint } end
  return outcome
end

--- Like `play`; the second time the same name is asked for, what came the first time.
function Kit:once(name, case, arguments, options)
  if not self.kept[name] then self.kept[name] = self:play(case, arguments, options) end
  return self.kept[name]
end

return Kit
