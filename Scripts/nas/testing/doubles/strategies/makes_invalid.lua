-- A wrong strategy: it puts two architectures together without asking whether the space allows the result.

return function(search)
  while true do
    local arch, other = search.space:random():values(), search.space:random():values()
    for name in pairs(arch) do
      if search.rng:uniform() < 0.5 then arch[name] = other[name] end
    end
    search:evaluate(search.space:make(arch))
  end
end
