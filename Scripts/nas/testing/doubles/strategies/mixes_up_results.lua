-- A wrong strategy: it takes the next result for that of the architecture that it asked for last, as it is with a
-- window of 1.

return function(search)
  local here, value = search.space:random(), nil
  while true do
    local asked
    for _ = 1, search.window do
      asked = value and search.space:mutate(here) or search.space:random()
      search:submit(asked)
    end
    for _ = 1, search.window do
      local trial = search:next()
      if not trial.failed and (not value or search:better(trial, value)) then here, value = asked, trial end
    end
  end
end
