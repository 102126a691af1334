-- A wrong strategy: it draws until it finds something new, and a small space has nothing new in the end.

return function(search)
  local all, seen = {}, {}
  for arch in search.space:iterate() do all[#all + 1] = arch end
  while true do
    local arch
    repeat arch = all[search.rng:integer(1, #all)] until not seen[arch]
    seen[arch] = true
    search:evaluate(arch)
  end
end
