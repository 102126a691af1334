-- The suite of evaluators.

local Kit = require "nas.testing.kit"
local compare = require "nas.testing.compare"

local function plain(kit) return kit:once("plain", "evaluate", {}, { seconds = 600 }).returned.trials end

local function expect_same(found, other, words)
  for name, value in pairs(other.metrics) do
    local wanted = found.metrics[name]
    if wanted ~= value and (value == value or wanted == wanted) then
      local before, now = compare.show(wanted), compare.show(value)
      Kit.verdict { got = ("%s is %s, and %s %s, of %s"):format(name, before, now, words, found.arch) }
    end
  end
  if found.failed ~= other.failed then
    local fine = "it succeeded"
    Kit.verdict { got = ("%s, and %s %s"):format(found.failed or fine, other.failed or fine, words) }
  end
end

local checks = {}
local function check(fields) checks[#checks + 1] = fields end

check {
  name = "evaluates architectures", essential = true,
  did = "evaluated 4 architectures", expected = "metrics, and no error",
  mend = [[
It is called with a trial and returns a table of numbers, { accuracy = 91.5 }.
For one that fits a space of yours, let the file return { evaluator = …, space = … }.]],
  run = function(kit)
    for _, trial in ipairs(plain(kit)) do
      if trial.failed then Kit.verdict { got = ("%s failed: %s"):format(trial.arch, trial.failed) } end
      if next(trial.metrics) == nil then Kit.verdict { got = "no metrics of " .. trial.arch } end
    end
  end,
}

check {
  name = "gives finite numbers",
  did = "looked at the metrics", expected = "numbers that are neither NaN nor infinite",
  mend = "Guard quotients and logarithms of what can be 0, or fail the trial with nas.fail and a reason.",
  run = function(kit)
    for _, trial in ipairs(plain(kit)) do
      for name, value in pairs(trial.metrics) do
        if value ~= value or math.abs(value) == math.huge then
          Kit.verdict { got = ("%s is %g of %s"):format(name, value, trial.arch) }
        end
      end
    end
  end,
}

check {
  name = "repeats itself",
  did = "evaluated them again in a new VM with the same seed", expected = "the same metrics, bit for bit",
  mend = "Depend on the trial and the data alone, not on times, memory or what other trials left behind.",
  run = function(kit)
    local again = kit:play("evaluate", {}, { seconds = 600 }).returned.trials
    for index, trial in ipairs(plain(kit)) do expect_same(trial, again[index], "the second time") end
  end,
}

check {
  name = "evaluates each architecture by itself",
  did = "evaluated the fourth without the three before it", expected = "the same metrics",
  mend = "Keep what it counts or remembers in `trial`. A variable named in `depends` must not change the metrics.",
  run = function(kit)
    local alone = kit:play("evaluate", { only = 4 }, { seconds = 600 }).returned.trials[1]
    expect_same(plain(kit)[4], alone, "alone")
  end,
}

check {
  name = "reports epochs in order",
  did = "looked at what trial:report was called with", expected = "growing numbers of epochs",
  mend = "Call trial:report(epoch, metrics) once after each epoch.",
  run = function(kit)
    for _, trial in ipairs(plain(kit)) do
      for index = 2, #trial.epochs do
        if trial.epochs[index] <= trial.epochs[index - 1] then
          Kit.verdict { got = ("epoch %d after epoch %d"):format(trial.epochs[index], trial.epochs[index - 1]) }
        end
      end
    end
  end,
}

check {
  name = "keeps to the budget",
  did = "evaluated with the budgets { epochs = 1 } and { epochs = 2 }",
  expected = "no report of a later epoch",
  mend = "Train for trial.budget.epochs, and for its own number of epochs where that is nil.",
  run = function(kit)
    local reported, excess, trials = false, nil, {}
    for epochs = 1, 2 do
      local outcome = kit:play("evaluate", { only = 1, budget = { epochs = epochs } }, { seconds = 600 })
      trials[epochs] = outcome.returned.trials[1]
      for _, epoch in ipairs(trials[epochs].epochs) do
        reported = true
        if epoch > epochs then excess = excess or ("epoch %d with { epochs = %d }"):format(epoch, epochs) end
      end
    end
    if excess then
      -- What is reported may be something else than epochs, folds for instance, of a training that keeps to its budget.
      local is_kept = compare.difference(trials[1].metrics, trials[2].metrics) ~= nil
      Kit.verdict { outcome = is_kept and "note" or nil, got = excess }
    end
    if reported then return end
    Kit.verdict { outcome = "note", got = "no reports at all", mend = "Nothing, if it trains nothing." }
  end,
}

check {
  name = "survives a network that diverges",
  did = "evaluated networks whose outputs overflow",
  expected = "metrics, or a trial that failed with its reason; the search goes on",
  mend = "Let errors of a trial pass: nasrun fails the trial. Don't count on a loss or a score being a number.",
  run = function(kit)
    if kit:once("space", "given").returned.given then
      Kit.verdict { outcome = "skipped", got = "the file gives a space of its own" }
    end
    local outcome = kit:rehearse("overflow", {}, { seconds = 600 })
    local problem = Kit.fault_text(outcome)
    if problem then Kit.verdict { got = problem } end
  end,
}

return checks
