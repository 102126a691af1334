-- Decisions as categories: what grids list, and what a policy with a softmax for each decision draws from.

local nas = require "nas.core".public

--- The number at a fraction, from 0 to 1, of the way through a range: of the logarithm's way where it is logarithmic.
local function at(low, high, log, fraction)
  if log then return low * (high / low) ^ fraction end
  return low + (high - low) * fraction
end

--- A whole number of a range at a fraction below 1 of the way.
local function whole(decision, fraction)
  local low, step = decision.low, decision.step
  local last = (decision.high - low) // step
  local value = at(low, decision.high + step, decision.log, fraction)
  return low + step * math.min(last, math.floor((value - low) / step))
end

return nas.declare("nas.categories", {
  doc = [[
A decision, as space:compose gives it, as one of a number of categories. Options and ranges of at most `levels` whole
numbers are their own; a longer range, or one of real numbers, is cut into `levels` equal parts (of the logarithm where
it is logarithmic). Returns how many there are, and a function that gives space:compose its answer: `answer(category,
fraction)`, where a fraction from 0 to below 1 says which number of a part.]],
  { "decision", "table", doc = "what space:compose asks for" },
  { "levels", "integer", min = 1, doc = "parts of a real or long range" },
  example = 'local categories = require "nas.categories"',
  returns = "integer, fun(category: integer, fraction: number): any # how many, and the answer",
}, function(decision, levels)
  if decision.options then return #decision.options, function(category) return category end end
  if decision.kind == "float" then
    return levels, function(category, fraction)
      return at(decision.low, decision.high, decision.log, (category - 1 + fraction) / levels)
    end
  end
  local count = (decision.high - decision.low) // decision.step + 1
  if count <= levels then return count, function(category) return decision.low + (category - 1) * decision.step end end
  return levels, function(category, fraction) return whole(decision, (category - 1 + fraction) / levels) end
end)
