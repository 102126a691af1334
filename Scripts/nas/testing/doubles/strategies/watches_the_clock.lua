-- A wrong strategy: it decides by how long trials took.

return function(search)
  local here = search:evaluate(search.space:random())
  while true do
    local hurried = here.seconds * 1e7 % 2 < 1
    local trial = search:evaluate(hurried and search.space:random() or search.space:mutate(here.arch))
    if search:better(trial, here) then here = trial end
  end
end
