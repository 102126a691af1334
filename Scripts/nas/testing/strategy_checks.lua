-- The suite of strategies: what each check does, what it expects, and what to mend.

local Kit = require "nas.testing.kit"
local paired = require "nas.testing.paired"

--- Trials of a search that is looked at closely.
local length = 40

--- Probabilities below which a difference counts: of calling a strategy better than random that isn't, and of calling
--- one worse that isn't.
local better_level, worse_level = 0.01, 0.001

--- Seconds after which a search of a few trials is taken to be stuck.
local stuck = 20

local function plain(kit) return kit:once("plain", "search", { trials = length }) end

--- Where two lists of requests part, in words; nil when they are the same.
local function parting(first, second, names)
  for index = 1, math.max(#first, #second) do
    if first[index] ~= second[index] then
      return ("request %d was %s %s, and %s %s"):format(
        index, first[index] or "missing", names[1], second[index] or "missing", names[2])
    end
  end
end

--- Ends the check when the requests of another rehearsal aren't those of the plain one.
local function expect_same(kit, other, words)
  local difference = parting(plain(kit).requests.case, other.requests.case or {}, { "alone", words })
  if difference then Kit.verdict { got = difference } end
end

--- Plays a search with failed trials or on another kind of space.
local function play(arguments, seconds)
  return function(kit)
    arguments.trials = arguments.trials or length
    return kit:play("search", arguments, { seconds = seconds })
  end
end

--- Leaves out a check on other spaces for a strategy that is for a space of its own.
local function only_for_any_space(kit)
  if kit:once("given", "given").returned.given then
    Kit.verdict { outcome = "skipped", got = "the file gives a space of its own" }
  end
end

-- MARK: comparing with random search

local function mean(values)
  local sum = 0
  for _, value in ipairs(values) do sum = sum + value end
  return sum / #values
end

--- The comparison under some conditions: the test, and what was found in words.
local function comparison(kit, name, conditions)
  local found, drawn = {}, {}
  conditions.trials = kit.settings.trials
  for seed = 1, kit.settings.seeds do
    local options = { seed = seed, seconds = 300 }
    local best = kit:once(name .. seed, "compare", conditions, options).returned
    found[seed], drawn[seed] = best.found or -math.huge, best.drawn
  end
  local test = paired(found, drawn)
  test.words = ("on average %.2f, random search %.2f; above it with %d of %d seeds, below with %d; p = %.4f"):format(
    mean(found), mean(drawn), test.wins, #found, test.losses, test.better)
  return test
end

local function expect_not_worse(test, mend)
  if test.worse <= worse_level then
    local got = ("worse than random search: %s; p of worse = %.4f"):format(test.words, test.worse)
    Kit.verdict { got = got, mend = mend }
  end
end

--- A strategy that is better than random search under plain conditions should be so under others too.
local function expect_as_good(kit, name, conditions, mend)
  local test = comparison(kit, name, conditions)
  expect_not_worse(test, mend)
  if comparison(kit, "compare", {}).better <= better_level and test.better > 0.1 then
    Kit.verdict { got = "no better than random search: " .. test.words, mend = mend }
  end
end

local function searches(words)
  return ("searched 65,536 architectures %s, and drew as many at random"):format(words)
end

-- MARK: the checks

local checks = {}
local function check(fields) checks[#checks + 1] = fields end

check {
  name = "runs", essential = true,
  did = ("ran it for %d trials on 8 decisions with 4 options each"):format(length),
  expected = "no error",
  mend = "Mend this first; the other checks need it.",
  run = function(kit)
    local outcome = plain(kit)
    if outcome.returned.trials == 0 then
      Kit.verdict { expected = "at least one trial", got = "none", mend = "Ask for trials with search:evaluate(arch)." }
    end
  end,
}

check {
  name = "repeats itself",
  did = ("ran it twice for %d trials with the same seed"):format(length),
  expected = "the same requests in the same order",
  mend = [[
Decide by the objectives, search.rng and search.space alone; not by trial.seconds, memory or anything measured.]],
  run = function(kit) expect_same(kit, kit:play("search", { trials = length }), "in the second run") end,
}

check {
  name = "draws from search.rng",
  did = "ran it again after 7 draws of math.random",
  expected = "the same requests: what others draw shifts nobody",
  mend = "Draw from search.rng and search.space; math.random and streams of your own are shared by the whole recipe.",
  run = function(kit)
    expect_same(kit, kit:play("search", { trials = length, before = "draws" }), "after the draws")
  end,
}

check {
  name = "begins each search anew",
  did = "ran it again after another search by the same function",
  expected = "the same requests: nothing is left of the search before",
  mend = [[
Keep what it remembers in local variables of the strategy function, not in variables outside it. An ask/tell table
that remembers things in `self` has to be made anew for each search: return a function that makes it (nas.declare).]],
  run = function(kit)
    expect_same(kit, kit:play("search", { trials = length, before = "search" }), "after another search")
  end,
}

check {
  name = "follows the seed",
  did = "ran it with another seed",
  expected = "other requests, if it draws at all",
  mend = "Nothing, if it draws nothing. Else draw from search.rng and search.space, which follow --seed.",
  run = function(kit)
    local other = kit:play("search", { trials = length }, { seed = 2 })
    if not parting(plain(kit).requests.case, other.requests.case, { "", "" }) then
      Kit.verdict { outcome = "note", got = "the same requests with both seeds" }
    end
  end,
}

check {
  name = "resumes as if nothing had happened",
  did = "interrupted it after 1, 4, 9, 17 and 30 trials and resumed it each time from the journal",
  expected = "the record of a run that was left alone",
  mend = "A resumed run calls the strategy again and gives it the recorded trials. It must decide by these alone.",
  run = function(kit)
    local outcome = kit:play("search", { trials = length }, { interrupt_after = { 1, 4, 9, 17, 30 } })
    expect_same(kit, outcome, "when it was resumed")
    if outcome.journal ~= plain(kit).journal then Kit.verdict { got = "another record" } end
  end,
}

check {
  name = "leaves trials and history alone",
  did = "looked at search.history and its trials at every request",
  expected = "trials and search.history as nasrun left them",
  mend = [[
Copy what you want to change: search.history and its trials belong to the search, its stop rule and its result.]],
  run = function(kit)
    local tampered = plain(kit).returned.tampered
    if tampered then Kit.verdict { got = tampered } end
  end,
}

check {
  name = "takes the results that it asks for",
  did = "counted the trials that were submitted and not yet taken",
  expected = "no more than the window and a few",
  mend = "Call search:next() for each search:submit(arch), or use search:evaluate or search:map.",
  run = function(kit)
    local waiting = plain(kit).returned.waiting
    if waiting > length / 2 + 1 and waiting >= plain(kit).returned.trials then
      Kit.verdict { outcome = "note", got = ("%d trials asked for before the first result was taken"):format(waiting) }
    end
  end,
}

check {
  name = "ends when the space is exhausted",
  did = "ran it without a stop rule on a space of 6 architectures",
  expected = "its end, or requests that bring nothing new, which the search ends by itself",
  mend = [[
A loop that draws until it finds something new never ends here. Give up after some tries, or just ask again: nasrun
takes the known result, and ends the search as exhausted after 1,000 of them.]],
  run = function(kit)
    only_for_any_space(kit)
    local outcome = kit:rehearse("search", { space = "tiny" }, { seconds = stuck })
    local requests = outcome.requests and #(outcome.requests.case or {}) or 0
    -- One that is slow and asks on is ended by the search in the end.
    if outcome.late and requests < 50 then
      Kit.verdict { got = ("still at work after %d s, with %d requests"):format(stuck, requests) }
    end
    if outcome.fault and not outcome.late then Kit.verdict { got = outcome.fault.text } end
  end,
}

local failing_mend = [[
A failed trial has `failed`, and no metrics but the worst value of each objective (±infinity). Compare with
search:better or search:rank, and leave out trials with `failed` before you calculate.]]

check {
  name = "survives failed trials",
  did = "let every third trial fail", expected = "that it goes on", mend = failing_mend,
  run = play({ failing = "some" }, stuck),
}

check {
  name = "survives NaN",
  did = "let the objective of every third trial be NaN", expected = "that it goes on", mend = failing_mend,
  run = play({ failing = "nan" }, stuck),
}

check {
  name = "survives when all but one trial fail",
  did = "let all trials fail but the third", expected = "that it goes on", mend = failing_mend,
  run = play({ failing = "most", trials = 20 }, stuck),
}

check {
  name = "works with a window of 4",
  did = "ran it with 4 trials in flight", expected = "no error",
  mend = [[
With a window, several trials are asked for before the first result. Results come in the order asked; each says by
trial.arch what it is the result of.]],
  run = play({ window = 4 }, stuck),
}

for _, kind in ipairs {
  { "list", "lists" }, { "length", "lists whose length is a decision" }, { "int", "whole numbers" },
  { "float", "real numbers" }, { "manyof", "manyof" }, { "nested", "nested decisions" },
} do
  check {
    name = "works on spaces with " .. kind[2],
    did = ("ran it for 25 trials on a space with %s"):format(kind[2]),
    expected = "no error, or one by nas.fail that says what the strategy can't handle",
    mend = [[
space:random, mutate, crossover and neighbors work on every space. What goes through the decisions itself must know
all kinds, or say by nas.fail { message =, expected =, got = } which it doesn't.]],
    run = function(kit)
      only_for_any_space(kit)
      local outcome = kit:rehearse("search", { space = kind[1], trials = 25 }, { seconds = stuck })
      local problem = Kit.fault_text(outcome)
      -- An error of Lua itself has neither of these.
      local said = outcome.fault and (outcome.fault.hint or outcome.fault.expected or outcome.fault.got)
      if problem then Kit.verdict { outcome = said and not outcome.late and "note" or nil, got = problem } end
    end,
  }
end

check {
  name = "asks for valid architectures only",
  did = "ran it on a space that rejects half of its architectures",
  expected = "none of those that `valid` rejects",
  mend = [[
space:random, mutate, crossover and neighbors keep to `valid`; what is made by arch:with or space:make may not.]],
  run = function(kit)
    only_for_any_space(kit)
    local wrong = kit:play("valid", { trials = 8 }, { seconds = stuck }).returned.wrong
    if wrong then Kit.verdict { got = wrong } end
  end,
}

check {
  name = "looks at objectives only",
  did = "ran it again with other values of test_accuracy, which is a metric and no objective",
  expected = "the same requests",
  mend = "Compare with search:better or search:rank. A strategy that sees the test score fits the architecture to it.",
  run = function(kit)
    local other = kit:play("search", { trials = length, hidden = "other" })
    expect_same(kit, other, "with another trial.metrics.test_accuracy")
  end,
}

local direction_mend = [[
Here the objective is { "error", "min" }. Compare with search:better(a, b), which knows name and direction, or read
them from search.objectives[1].]]

check {
  name = "minimises where less is better",
  did = searches "by an objective that is to be minimised",
  expected = "no error, and a search that isn't worse than random, nor useless where it is of use otherwise",
  mend = direction_mend,
  run = function(kit) expect_as_good(kit, "minimised", { objective = { "error", "min" } }, direction_mend) end,
}

local window_mend = [[
Take architecture and result from the same trial: when a result comes, others have been asked for since.]]

check {
  name = "keeps apart what is in flight",
  did = searches "with 4 trials in flight",
  expected = "a search that isn't worse than random, nor useless where it is of use otherwise",
  mend = window_mend,
  run = function(kit) expect_as_good(kit, "window", { window = 4 }, window_mend) end,
}

check {
  name = "is better than random search",
  did = searches "with each of several seeds",
  expected = ([[
a higher best value, by an exact paired sign-flip test over the seeds: "better" at p ≤ %g (a false alarm in
%g of 100 strategies that are no better), "worse" at p ≤ %g (in %g of 100 that are no worse)]]):format(
    better_level, 100 * better_level, worse_level, 100 * worse_level),
  mend = "It may need more trials (--trials) or other options (--set). A baseline needs nothing.",
  run = function(kit)
    local test = comparison(kit, "compare", {})
    expect_not_worse(test)
    if test.better > better_level then
      Kit.verdict { outcome = "note", got = "no better than random search: " .. test.words }
    end
  end,
}

check {
  name = "asks for few known architectures",
  did = "counted the requests that brought no new trial",
  expected = "less than 9 in 10",
  mend = "Each such request is charged. Remember what was asked for, or draw again a few times.",
  run = function(kit)
    local requests, trials = #plain(kit).requests.case, plain(kit).returned.trials
    if requests > 10 * trials then
      Kit.verdict { outcome = "note", got = ("%d requests for %d trials"):format(requests, trials) }
    end
  end,
}

check {
  name = "keeps its memory bounded",
  did = "measured the memory after 60 and after 160 trials, of it and of random search",
  expected = "at most 20 KB more per trial than random search",
  mend = "Keep what the algorithm needs of each trial, not copies of the whole history.",
  run = function(kit)
    local arguments = { early = 60, trials = 160 }
    local function growth(options)
      local used = kit:play("memory", arguments, options).returned
      return used.early and used.late and (used.late - used.early) / (arguments.trials - arguments.early)
    end
    local own = growth()
    local excess = own and own - growth { subject = "nas.strategies.random" }
    if excess and excess > 20 then Kit.verdict { got = ("%.0f KB more per trial"):format(excess) } end
  end,
}

return checks
