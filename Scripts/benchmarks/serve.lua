-- Answers the driver: a line with a number n is n calls of `step`; the answer is the CPU seconds that they took and
-- the number that the last one returned. Wants `nasrun --trust`.

return function(step)
  print("ready")
  io.flush()
  for line in io.lines() do
    local value
    local start = os.clock()
    for _ = 1, tonumber(line) do value = step() end
    print(("%.9f %.9g"):format(os.clock() - start, value))
    io.flush()
  end
end
