-- A wrong strategy: it calculates with the metrics of failed trials, which aren't there.

return function(search)
  local sum = 0
  while true do
    local trial = search:evaluate(search.space:random())
    sum = sum + trial.metrics.test_accuracy
  end
end
