-- Rehearsals, on which the suites stand: a file run in a fresh VM, interrupted, resumed, ended when it takes too long.

local core = require "nas.core"

local function rehearse(subject, fields)
  local request = {
    module = "nas.testing.rehearsal", subject = subject,
    arguments = { kind = "strategy", case = "search", options = {}, arguments = { trials = 12 } },
  }
  for name, value in pairs(fields or {}) do request[name] = value end
  return core.rehearse(request)
end

describe("a rehearsal", function()
  local evolution = "nas.strategies.regularized_evolution"

  it("returns what the case returned and what was asked for", function()
    local outcome = rehearse(evolution)
    expect(outcome.returned.trials):to_equal(12)
    expect(outcome.returned.reason):to_equal "12 trials done"
    expect(#outcome.requests.case):to_be_at_least(12)
    expect(outcome.requests.case[1]):to_match '^{"op1":"[abcd]",'
    expect({ outcome.late, outcome.resumed }):to_equal { false, 0 }
  end)

  it("ends with the same record when it is interrupted and resumed", function()
    local whole, parts = rehearse(evolution), rehearse(evolution, { interrupt_after = { 1, 5, 11 } })
    expect(parts.resumed):to_equal(3)
    expect(parts.journal):to_equal(whole.journal)
    expect(parts.requests):to_equal(whole.requests)
    expect(parts.returned):to_equal(whole.returned)
  end)

  it("follows its seed", function()
    local first, again, other = rehearse(evolution), rehearse(evolution), rehearse(evolution, { seed = 2 })
    expect(again.journal):to_equal(first.journal)
    expect(other.requests).never:to_equal(first.requests)
  end)

  it("tells the fault with its fields", function()
    local outcome = rehearse("subjects.stumbles")
    expect(outcome.returned):to_be_nil()
    expect(outcome.fault.at):to_equal "subjects/stumbles.lua:4"
    expect(outcome.fault.message):to_contain "attempt to index a nil value"
    expect(outcome.printed):to_equal { "about to stumble" }
  end)

  it("ends when its time is up", function()
    local endless = rehearse("nas.testing.doubles.strategies.draws_forever", {
      seconds = 6,
      arguments = { kind = "strategy", case = "search", options = {}, arguments = { space = "tiny" } },
    })
    expect(endless.late):to_be_true()
    expect(endless.fault.code):to_equal "interrupted"
    expect(#endless.requests.case):to_equal(6)
  end)
end)
