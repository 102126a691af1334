-- A paired comparison of two lists of numbers without assumptions on their distribution: the one-sided sign-flip test.
-- Fisher, "The Design of Experiments", 1935, section 21; exact, by all 2^n ways to flip the signs of the differences.

--- The differences a[i] - b[i]: their `mean`; how often a is above (`wins`) and below (`losses`); `better`, the
--- probability of a mean at least as high if a and b were alike; `worse`, of one at least as low.
return function(a, b)
  local differences, sum, wins, losses = {}, 0, 0, 0
  for index = 1, #a do
    local difference = a[index] - b[index]
    differences[index], sum = difference, sum + difference
    if difference > 0 then wins = wins + 1 end
    if difference < 0 then losses = losses + 1 end
  end
  local slack = 1e-12 * (1 + math.abs(sum))
  local count, above, below = 1 << #a, 0, 0
  for signs = 0, count - 1 do
    local flipped = 0
    for index, difference in ipairs(differences) do
      flipped = flipped + ((signs >> (index - 1)) & 1 == 1 and -difference or difference)
    end
    if flipped >= sum - slack then above = above + 1 end
    if flipped <= sum + slack then below = below + 1 end
  end
  return { mean = sum / #a, wins = wins, losses = losses, better = above / count, worse = below / count }
end
