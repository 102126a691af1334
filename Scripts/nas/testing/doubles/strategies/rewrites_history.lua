-- A wrong strategy: it sorts search.history in place.

return function(search)
  while true do
    search:evaluate(search.space:random())
    local history = search.history
    table.sort(history, function(a, b) return search:better(a, b) end)
    if #history > 3 then search:evaluate(search.space:mutate(history[1].arch)) end
  end
end
