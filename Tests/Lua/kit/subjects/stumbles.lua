return function(search)
  print "about to stumble"
  local trial = search:evaluate(search.space:random())
  return trial.metrics.nowhere.deep
end
