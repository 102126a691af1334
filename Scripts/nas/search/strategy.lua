-- What nas.search takes as a strategy: a function, or a table that is asked and told.

local core = require "nas.core"

local function asked_and_told(strategy, where)
  local known = { ask = true, tell = true, finish = true }
  for name in pairs(known) do
    local method = strategy[name]
    if method ~= nil and type(method) ~= "function" or method == nil and name == "ask" then
      core.fail {
        message = ("%s: wrong strategy"):format(where),
        expected = "function(search), or { ask = function(self, search), tell = …, finish = … }",
        got = ("a table whose '%s' is %s"):format(name, method == nil and "missing" or core.show(method)),
      }
    end
  end
end

--- The next architecture and its budget; nil ends the strategy.
local function ask(strategy, search)
  local arch, budget = strategy:ask(search)
  if arch == nil or core.class_name(arch) == "Architecture" and (budget == nil or type(budget) == "table") then
    return arch, budget
  end
  core.fail {
    message = "wrong result of the strategy's ask",
    expected = "an Architecture and a budget such as { epochs = 9 }, or nil at the end",
    got = core.show(arch) .. (budget ~= nil and " and " .. core.show(budget) or ""),
  }
end

--- A strategy that keeps `window` trials in flight, and tells of each in the order asked: also of those that were in
--- flight when the search was stopped.
local function adapted(strategy)
  local tell = strategy.tell or function() end
  return function(search)
    local flying, is_asking = 0, true
    search:finish(function()
      for trial in function() return search:next() end do tell(strategy, trial, search) end
      if strategy.finish then strategy:finish(search) end
    end)
    repeat
      while is_asking and flying < search.window do
        local arch, budget = ask(strategy, search)
        is_asking = arch ~= nil
        if is_asking then
          search:submit(arch, budget)
          flying = flying + 1
        end
      end
      local trial = search:next()
      if trial then
        flying = flying - 1
        tell(strategy, trial, search)
      end
    until not trial
  end
end

--- The strategy as a function of the search. `where` names the API function in errors.
return function(strategy, where)
  if type(strategy) == "function" then return strategy end
  asked_and_told(strategy, where)
  return adapted(strategy)
end
