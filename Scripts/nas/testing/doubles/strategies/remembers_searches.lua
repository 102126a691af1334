-- A wrong strategy: it draws at random at first and mutates later, and counts its steps in a variable outside the
-- function, which the next search finds as it was left.

local step = 0

return function(search)
  local here = search:evaluate(search.space:random())
  while true do
    step = step + 1
    local trial = search:evaluate(step < 10 and search.space:random() or search.space:mutate(here.arch))
    if search:better(trial, here) then here = trial end
  end
end
