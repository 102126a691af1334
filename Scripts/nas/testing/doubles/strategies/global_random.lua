-- A wrong strategy: it draws from math.random, which the whole recipe shares.

return function(search)
  local here = search:evaluate(search.space:random())
  while true do
    local arch = math.random() < 0.5 and search.space:random() or search.space:mutate(here.arch)
    local trial = search:evaluate(arch)
    if search:better(trial, here) then here = trial end
  end
end
