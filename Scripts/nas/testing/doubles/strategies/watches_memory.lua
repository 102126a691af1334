-- A wrong strategy: it decides by the memory in use, which is another when trials come from the journal.

return function(search)
  local here = search:evaluate(search.space:random())
  while true do
    local crowded = collectgarbage("count") * 1024 // 64 % 2 == 0
    local trial = search:evaluate(crowded and search.space:random() or search.space:mutate(here.arch))
    if search:better(trial, here) then here = trial end
  end
end
