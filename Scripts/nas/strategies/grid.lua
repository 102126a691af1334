-- Grid search: every architecture once, in the space's order.
-- Larochelle et al., "An Empirical Evaluation of Deep Architectures on Problems with Many Factors of Variation",
-- ICML 2007, section 4.1.

local nas = require "nas"

--- The numbers of a range at the grid's levels, from the lower to the upper bound.
local function numbers(decision, levels)
  local low, high, count, is_real = decision.low, decision.high, levels, decision.kind == "float"
  if not is_real then
    local all = (high - low) // decision.step + 1
    count = math.min(levels or all, all)
  elseif not levels then
    nas.fail {
      message = "nas.strategies.grid: a real number has no next value",
      path = "space." .. decision.path,
      expected = "levels = how many values of each range to try",
      hint = "Or narrow it to some values with space:fix.",
    }
  end
  local values = {}
  for level = 1, count do
    local fraction = count > 1 and (level - 1) / (count - 1) or 0
    local value = decision.log and low * (high / low) ^ fraction or low + (high - low) * fraction
    value = math.max(low, math.min(high, value))
    if not is_real then value = low + decision.step * math.floor((value - low) / decision.step + 0.5) end
    if value ~= values[#values] then values[#values + 1] = value end
  end
  return values
end

--- The options that a decision can still take, so that the grid meets each selection of a manyof once.
local function positions(decision)
  local first, last, is_taken = 1, #decision.options, {}
  if decision.slot and not decision.ordered then
    -- Ascending, with enough options left for the slots that follow.
    first = (decision.chosen[#decision.chosen] or 0) + (decision.distinct and 1 or 0)
    if decision.distinct then last = last - (decision.picks - decision.slot) end
  elseif decision.slot and decision.distinct then
    for _, position in ipairs(decision.chosen) do is_taken[position] = true end
  end
  local open = {}
  for position = math.max(first, 1), last do
    if not is_taken[position] then open[#open + 1] = position end
  end
  return open
end

return nas.declare("nas.strategies.grid", {
  doc = [[
Evaluates every architecture of the space once, then ends. Of a range of numbers it takes `levels` values, spread evenly
from the lower to the upper bound (in the logarithm where the range is logarithmic); whole numbers all, unless `levels`
is given. Stopped early, it has seen one corner of the space only.]],
  source = "Larochelle et al., ICML 2007, section 4.1",
  options = { { "levels", "integer", min = 1, optional = true, doc = "values of each range of numbers" } },
  returns = "fun(search: Search)",
}, function(options)
  return function(search)
    local flying = 0
    -- An odometer over the answers to the space's questions: the last one turns fastest. Which questions come after an
    -- answer depends on it, so the wheels behind one that turned are found anew.
    local wheels = {}
    repeat
      local position = 0
      local arch = search.space:compose(function(decision)
        position = position + 1
        local wheel = wheels[position]
        if not wheel then
          local answers = decision.options and positions(decision) or numbers(decision, options.levels)
          wheel = { at = 1, answers = answers }
          wheels[position] = wheel
        end
        return wheel.answers[wheel.at]
      end)
      if arch then
        search:submit(arch)
        flying = flying + 1
        while flying >= search.window and search:next() do flying = flying - 1 end
      end
      while #wheels > 0 and wheels[#wheels].at == #wheels[#wheels].answers do wheels[#wheels] = nil end
      if #wheels > 0 then wheels[#wheels].at = wheels[#wheels].at + 1 end
    until #wheels == 0
    while search:next() do end
  end
end)
