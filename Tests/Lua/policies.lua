-- space:compose, and what policies are made of: categories, draws, rewards and their baseline.

local nas = require "nas"
local expect = require "expect"
local policies = require "nas.policies"

local function error_of(fn, ...)
  local ok, err = pcall(fn, ...)
  expect.is_true(not ok, "no error")
  return (tostring(err):gsub("^[%w_%.]+:%d+: ", ""))
end

-- MARK: composing

-- Every kind of decision, nested and repeated.
local space = nas.space {
  a = nas.oneof({
    "x", { n = nas.int(2, 8, { step = 3 }), rate = nas.float(0.001, 0.1, { log = true }) },
  }, { name = "kind" }),
  b = nas.list(nas.int(1, 3), nas.oneof { 1, 2 }),
  c = nas.manyof(2, { "p", "q", "r" }),
  d = nas.manyof(2, { "p", "q" }, { ordered = true, distinct = false }),
}
local asked = {}
local answers = { 2, 8, 0.01, 2, 1, 2, 3, 1, 2, 2 }
local arch = space:compose(function(decision)
  asked[#asked + 1] = decision
  return answers[#asked]
end)
expect.equal(arch:values(), { a = { n = 8, rate = 0.01 }, b = { 1, 2 }, c = { "p", "r" }, d = { "q", "q" } })
local function of(field)
  local list = {}
  for index, decision in ipairs(asked) do list[index] = decision[field] or "-" end
  return table.concat(list, " ")
end
expect.equal(of "kind", "oneof int float count oneof oneof manyof manyof manyof manyof")
expect.equal(of "site", "a a(2).n a(2).rate #b b[1] b[2] c c d d")
expect.equal(of "path", "a a.n a.rate b b[1] b[2] c c d d")
expect.equal(of "slot", "- - - - - - 1 2 1 2")
expect.equal(of "depth", "0 1 1 0 0 1 0 0 0 0")
expect.equal({ asked[2].low, asked[2].high, asked[2].step, asked[2].log }, { 2, 8, 3, false })
expect.equal({ asked[8].chosen, asked[8].picks, asked[8].ordered, asked[8].distinct }, { { 3 }, 2, false, true })
expect.equal(asked[1].options, { "x", "record" })
expect.equal(asked[1].name, "kind")

-- The decisions of the space are those that can be asked; those of an architecture have its values.
local sites = {}
for index, decision in ipairs(space:decisions()) do sites[index] = decision.site end
expect.equal(sites, { "a", "a(2).n", "a(2).rate", "#b", "b[1]", "b[2]", "b[3]", "c", "d" })
local values = {}
for _, decision in ipairs(arch:decisions()) do values[decision.site] = decision.value end
expect.equal(values, {
  a = { n = 8, rate = 0.01 }, ["a(2).n"] = 8, ["a(2).rate"] = 0.01, ["#b"] = 2, ["b[1]"] = 1, ["b[2]"] = 2,
  c = { "p", "r" }, d = { "q", "q" },
})

--- Composes with one answer in another's place.
local function answering(position, answer)
  local number = 0
  return space:compose(function()
    number = number + 1
    if number == position then return answer end
    return answers[number]
  end)
end
for _, case in ipairs {
  { 1, 3, "space.a: a wrong answer to a decision: expected the position of an option, 1 to 2, got 3" },
  { 1, "x", 'space.a: a wrong answer to a decision: expected the position of an option, 1 to 2, got "x"' },
  { 2, 4, "space.a.n: a wrong answer to a decision: expected a whole number from 2 to 8 in steps of 3, got 4" },
  { 3, 1, "space.a.rate: a wrong answer to a decision: expected a number from 0.001 to 0.1, got 1" },
  { 4, 0, "space.b: a wrong answer to a decision: expected a whole number from 1 to 3, got 0" },
  { 8, 3, "space.c: a wrong answer to a decision: expected the position of an option, 1 to 3, none of 3, got 3" },
  { 8, nil, "space.c: a wrong answer to a decision: expected the position of an option, 1 to 3, none of 3, got null" },
} do
  expect.equal(error_of(answering, case[1], case[2]), case[3])
end
expect.raises("mine", function() space:compose(function() error "mine" end) end)

-- What `valid` rejects is nil, and a policy draws again.
local odd = nas.space { n = nas.oneof { 1, 2, 3, 4 }, valid = function(values) return values.n % 2 == 1 end }
expect.equal(odd:compose(function() return 2 end), nil)
expect.equal(odd:compose(function() return 3 end).n, 3)
local draws = 0
expect.equal(policies.draw(odd, function()
  draws = draws + 1
  return function() return draws end
end).n, 1)
expect.equal(
  error_of(policies.draw, odd, function() return function() return 2 end end),
  "the policy drew no valid architecture in 1000 tries. "
    .. "Make `valid` less strict, or build the space so that more of it is valid.")

-- MARK: categories

local function all_of(decision, levels, fraction)
  local count, answer = nas.categories(decision, levels)
  local list = {}
  for category = 1, count do list[category] = answer(category, fraction) end
  return list
end
expect.equal(all_of({ kind = "oneof", options = { "a", "b", "c" } }, 2, 0.5), { 1, 2, 3 })
expect.equal(all_of({ kind = "int", low = 2, high = 8, step = 3 }, 8, 0.5), { 2, 5, 8 })
expect.equal(all_of({ kind = "float", low = 0, high = 8 }, 4, 0), { 0, 2, 4, 6 })
expect.equal(all_of({ kind = "float", low = 0, high = 8 }, 4, 0.5), { 1, 3, 5, 7 })
for index, value in ipairs(all_of({ kind = "float", low = 1, high = 10000, log = true }, 4, 0)) do
  expect.near(value, 10 ^ (index - 1), 1e-9)
end
-- 1 to 100 in ten parts of ten; the first and the last number of each.
local hundred = { kind = "int", low = 1, high = 100, step = 1 }
expect.equal(all_of(hundred, 10, 0), { 1, 11, 21, 31, 41, 51, 61, 71, 81, 91 })
expect.equal(all_of(hundred, 10, 0.999), { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 })

-- MARK: a draw from a softmax

local rng = nas.stream "policies"
local decision = {
  kind = "manyof", options = { "a", "b", "c" }, picks = 2, slot = 2, chosen = { 1 }, distinct = true, ordered = false,
}
local counts = { 0, 0, 0 }
for _ = 1, 2000 do
  -- Of e^5 : 1 : 3 without the first: a quarter and three quarters.
  local answer, log_p, entropy = policies.choose(decision, nas.tensor { 5, 0, math.log(3) }, 8, rng)
  counts[answer] = counts[answer] + 1
  expect.near(log_p:item(), math.log(answer == 2 and 0.25 or 0.75), 1e-5)
  expect.near(entropy:item(), -(0.25 * math.log(0.25) + 0.75 * math.log(0.75)), 1e-5)
end
expect.equal(counts[1], 0)
expect.near(counts[2] / 2000, 0.25, 4 * (0.25 * 0.75 / 2000) ^ 0.5)

-- MARK: the baseline, by hand: with 0.9, sums .1·r and weights .1 give the reward itself, then (.09·1 + .1·3) / .19

local advantage = policies.baseline(0.9)
expect.near(advantage(1), 0, 1e-12)
expect.near(advantage(3), 3 - 0.39 / 0.19, 1e-12)
expect.near(advantage(2), 2 - (0.9 * 0.39 + 0.2) / (0.9 * 0.19 + 0.1), 1e-12)

-- MARK: rewards

local double = { objectives = { { name = "loss", direction = "min" } } }
local reward = policies.reward(double)
expect.equal(reward { failed = "x", metrics = {} }, nil)
expect.equal(reward { metrics = { loss = 2 } }, -2)
expect.equal(reward { metrics = { loss = 5 } }, -5)
expect.equal(reward { failed = "x", metrics = { loss = math.huge } }, -5)
expect.equal(reward { feasible = false, metrics = { loss = 1 } }, -5)
