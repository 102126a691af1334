-- A wrong strategy: it keeps a copy of the whole history with each trial.

return function(search)
  local copies = {}
  while true do
    search:evaluate(search.space:random())
    local copy = {}
    for index, trial in ipairs(search.history) do
      copy[index] = { values = trial.arch:values(), metrics = { trial.metrics.accuracy } }
    end
    copies[#copies + 1] = copy
  end
end
