-- Values for architectures without training: known, cheap, the same everywhere, and with a slope that a strategy can
-- climb. The encoding of an architecture is weighted by fixed pseudo-random numbers; a little of its own is added.

local landscape = {}

--- A number in [0, 1) that a text decides: FNV-1a in 32 bits, then the finaliser of MurmurHash3, which spreads a change
--- of the last byte over all bits.
function landscape.hash(text)
  local hash = 2166136261
  for index = 1, #text do hash = ((hash ~ text:byte(index)) * 16777619) & 0xffffffff end
  hash = ((hash ~ (hash >> 16)) * 0x85ebca6b) & 0xffffffff
  hash = ((hash ~ (hash >> 13)) * 0xc2b2ae35) & 0xffffffff
  return (hash ~ (hash >> 16)) / 4294967296
end

--- The value of an architecture in [0, 100): higher is better.
function landscape.value(arch)
  local sum, count = 0, 0
  for index, feature in ipairs(arch:encode()) do
    sum = sum + feature * landscape.hash("weight " .. index)
    count = count + 1
  end
  return 99 * sum / math.max(count, 1) + landscape.hash(arch:id()) / 4
end

return landscape
