-- Watches a search from its stop rule, which is asked at every request: what the strategy changed that isn't its own.

local compare = require "nas.testing.compare"
local show = compare.show

--- The fields of a trial that a strategy may read and must leave alone.
local fields = { "number", "arch", "failed", "seconds" }
local tables = { "metrics", "budget" }

local function copy(trial)
  local kept = { trial = trial }
  for _, name in ipairs(fields) do kept[name] = trial[name] end
  for _, name in ipairs(tables) do
    kept[name] = {}
    for key, value in pairs(trial[name]) do kept[name][key] = value end
  end
  return kept
end

--- What is other than it was in a trial.
local function change(kept)
  local trial = kept.trial
  for _, name in ipairs(fields) do
    if trial[name] ~= kept[name] then
      local words = "trial.%s of trial %d was changed from %s to %s"
      return words:format(name, kept.number, show(kept[name]), show(trial[name]))
    end
  end
  for _, name in ipairs(tables) do
    local difference = compare.difference(trial[name], kept[name])
    if difference then
      local what = ("trial.%s.%s of trial %d"):format(name, difference.path, kept.number)
      return ("%s was changed from %s to %s"):format(what, show(difference.wanted), show(difference.got))
    end
  end
end

--- A stop rule that watches, and stops after `limit` trials; `seen` takes `tampered`, the first change in words, and
--- `waiting`, the most trials that were asked for and not taken; `at_trial` is called with the number of trials so far.
return function(limit, seen, at_trial)
  local history = {}
  seen.waiting = 0
  local function check(state)
    for index, kept in ipairs(history) do
      if state.history[index] ~= kept.trial then
        return ("search.history[%d] was replaced, moved or removed"):format(index)
      end
      local changed = change(kept)
      if changed then return changed end
    end
    for index = #history + 1, #state.history do
      local trial = state.history[index]
      if type(trial) ~= "table" or not trial.arch then return ("search.history[%d] is not a trial"):format(index) end
      history[index] = copy(trial)
    end
  end
  return function(state)
    seen.tampered = seen.tampered or check(state)
    seen.waiting = math.max(seen.waiting, state.trials - #state.history)
    if at_trial then at_trial(state.trials) end
    if limit and state.trials >= limit then return ("%d trials done"):format(limit) end
  end
end
