-- The suites catch what is wrong on purpose, by the check that is meant to, in words that help.

local test = require "nas.test"

local folders = { strategy = "strategies", space = "spaces", proxy = "proxies", evaluator = "evaluators" }

--- Finds the double wrong in the check of that name, with `got` in what came.
local function catches(kind, double, name, got, outcome)
  it(("catches %s"):format(double), function()
    local module = ("nas.testing.doubles.%s.%s"):format(folders[kind], double)
    local results = test.conformance(kind, module, { filter = name })
    local result = results[#results]
    expect(result.name):to_equal(name)
    expect(result.outcome):to_equal(outcome or "failed")
    expect(result.got):to_contain(got)
    expect(result.did .. result.expected .. result.mend):to_be_a "string"
  end)
end

describe("the suite of strategies", function()
  local function wrong(...) catches("strategy", ...) end
  wrong("remembers_searches", "begins each search anew", "after another search")
  wrong("trusts_every_trial", "survives failed trials", "arithmetic on a nil value (field 'test_accuracy')")
  wrong("draws_forever", "ends when the space is exhausted", "still at work after")
  wrong("global_random", "draws from search.rng", "after the draws")
  wrong("rewrites_history", "leaves trials and history alone", "search.history[")
  wrong("mixes_up_results", "keeps apart what is in flight", "no better than random search")
  wrong("credits_the_last", "keeps apart what is in flight", "no better than random search")
  wrong("remembers_in_self", "begins each search anew", "after another search")
  wrong("always_maximises", "minimises where less is better", "random search")
  wrong("peeks_at_test", "looks at objectives only", "with another trial.metrics.test_accuracy")
  wrong("watches_the_clock", "repeats itself", "in the second run")
  wrong("watches_memory", "resumes as if nothing had happened", "doesn't decide as it did before")
  wrong("knows_one_space", "works on spaces with whole numbers", "attempt to get length of a number value")
  wrong("makes_invalid", "asks for valid architectures only", "op1")
  wrong("hoards", "keeps its memory bounded", "KB more per trial")
end)

describe("the suite of spaces", function()
  local function wrong(...) catches("space", ...) end
  wrong("forgets_a_decision", "reads what it writes", "space:parse makes")
  wrong("never_skips", "reaches every option", "op is never skip in 2000 draws")
  wrong("counts_builds", "builds the same network each time", "build gave two different networks")
  wrong("breaks_on_an_option", "builds every architecture", "attempt to index a nil value")
  wrong("ignores_width", "has no decision without effect", "width changes nothing in the network", "note")
  wrong("explodes", "learns without NaN", "the loss is")
  wrong("shifts_names", "shares weights", "conv2d2")
end)

describe("the suite of proxies", function()
  local function wrong(...) catches("proxy", ...) end
  wrong("trains", "leaves the network as it is", "other weights after the score of")
  wrong("counts_calls", "scores each network by itself", "alone, of")
  wrong("takes_logarithms", "gives finite numbers", "-inf of")
  wrong("likes_all", "tells networks apart", "10 for all of them")
  wrong("returns_a_tensor", "scores networks", "Tensor")
  wrong("wrong_direction", "prefers convolutions to skip connections", 'direction = "min"', "note")
end)

describe("the suite of evaluators", function()
  local function wrong(...) catches("evaluator", ...) end
  wrong("counts_trials", "evaluates architectures", "the evaluator changed a variable that it closes over")
  wrong("hides_a_count", "evaluates each architecture by itself", "alone, of")
  wrong("times_itself", "repeats itself", "the second time")
  wrong("trains_too_long", "keeps to the budget", "epoch 2 with { epochs = 1 }")
  wrong("trains_too_long", "reports epochs in order", "epoch 1 after epoch 3")
  wrong("divides_by_zero", "gives finite numbers", "efficiency is inf")
  wrong("returns_a_number", "evaluates architectures", "expected a table of metrics")
end)

describe("a right double", function()
  it("passes as a space", function()
    for _, result in ipairs(test.conformance("space", "nas.testing.doubles.spaces.fine")) do
      local is_opinion = result.name == "can be relaxed" and result.outcome == "note"
      if not is_opinion then expect(result):to_equal { name = result.name, outcome = "passed" } end
    end
  end)
end)
