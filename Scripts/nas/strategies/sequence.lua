-- Strategies one after the other, each as a phase of one search.

local nas = require "nas"

--- The architectures of the trials so far that succeeded and keep the constraints, best first, each once.
local function best_so_far(search)
  local archs, seen = {}, {}
  for _, trial in ipairs(search:rank(search.history)) do
    if not trial.failed and trial.feasible and not seen[trial.arch] then
      seen[trial.arch] = true
      archs[#archs + 1] = trial.arch
    end
  end
  return archs
end

--- A phase as the recipe wrote it, checked.
local function checked(phase, index)
  local strategy = type(phase) == "table" and phase[1]
  if type(strategy) ~= "function" and type(strategy) ~= "table" then
    nas.fail {
      message = ("nas.strategies.sequence: wrong phase %d"):format(index),
      expected = "{ strategy, stop = rule, name = text }",
      got = type(phase) == "table" and "a table without a strategy" or tostring(phase),
    }
  end
  for key in pairs(phase) do
    if key ~= 1 and key ~= "stop" and key ~= "name" then
      nas.fail {
        message = ("nas.strategies.sequence: unknown option '%s' of phase %d"):format(tostring(key), index),
        expected = "{ strategy, stop = rule, name = text }",
      }
    end
  end
  return { strategy = strategy, stop = phase.stop, name = phase.name or "phase" .. index }
end

return nas.declare("nas.strategies.sequence", {
  doc = [[
Strategies one after the other: each is a phase until its stop rule fires or it ends, and the next one finds the best
architectures so far in `search.start`, with which `search:initial` begins.]],
  { "phases", "table", doc = 'a list of { strategy, stop = rule, name = "explore" }' },
  returns = "fun(search: Search)",
}, function(phases)
  local steps = {}
  for index, phase in ipairs(phases) do steps[index] = checked(phase, index) end
  if #steps == 0 then
    nas.fail { message = "nas.strategies.sequence needs at least one phase", expected = "{ { strategy, stop = rule }, … }", got = "{}" }
  end
  return function(search)
    for index, step in ipairs(steps) do
      if index > 1 then search.start = best_so_far(search) end
      search:phase(step.name, { stop = step.stop }, step.strategy)
    end
  end
end)
