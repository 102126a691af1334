-- A wrong strategy: it decides by how long trials took, each one anew.

return function(search)
  local here = search:evaluate(search.space:random())
  local last = here
  while true do
    local hurried = last.seconds * 1e7 % 2 < 1
    last = search:evaluate(hurried and search.space:random() or search.space:mutate(here.arch))
    if search:better(last, here) then here = last end
  end
end
