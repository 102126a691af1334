-- The suite of proxies.

local Kit = require "nas.testing.kit"

local function scores(kit, name, arguments)
  local found = kit:once(name, "scores", arguments, { seconds = 300 }).returned
  if found.wrong then Kit.verdict { got = found.wrong, expected = "a number" } end
  return found
end

local function plain(kit) return scores(kit, "plain", {}) end

--- Ends the check when the scores of another rehearsal differ, from `first` on.
local function expect_same(kit, other, words, first)
  local found = plain(kit)
  for index, score in ipairs(other.scores) do
    local place = index + (first or 1) - 1
    local wanted = found.scores[place]
    if score ~= wanted and (score == score or wanted == wanted) then
      Kit.verdict { got = ("%.17g, and %.17g %s, of %s"):format(wanted, score, words, found.archs[place]) }
    end
  end
end

local checks = {}
local function check(fields) checks[#checks + 1] = fields end

check {
  name = "scores networks", essential = true,
  did = "scored the networks of 12 architectures on a batch of 16 images", expected = "a number for each",
  mend = "`score(network, batch)` must return a number; take tensors' with :item().",
  run = function(kit) plain(kit) end,
}

check {
  name = "gives finite numbers",
  did = "looked at the 12 scores", expected = "numbers that are neither NaN nor infinite",
  mend = "Guard logarithms and quotients of what can be 0; nas.linalg.slogdet takes the logarithm of a determinant.",
  run = function(kit)
    local found = plain(kit)
    for index, score in ipairs(found.scores) do
      if score ~= score or math.abs(score) == math.huge then
        Kit.verdict { got = ("%g of %s"):format(score, found.archs[index]) }
      end
    end
  end,
}

check {
  name = "tells networks apart",
  did = "looked at the 12 scores", expected = "at least two that differ",
  mend = "A score that is the same for every network ranks none.",
  run = function(kit)
    local found = plain(kit)
    for _, score in ipairs(found.scores) do
      if score ~= found.scores[1] then return end
    end
    Kit.verdict { got = ("%g for all of them"):format(found.scores[1]) }
  end,
}

check {
  name = "leaves the network as it is",
  did = "compared the weights and running statistics before and after", expected = "the same bits",
  mend = "Look by network:probe, which changes nothing; draw another network by network:fresh; never train.",
  run = function(kit)
    local changed = plain(kit).changed
    if changed then Kit.verdict { got = "other weights after the score of " .. changed } end
  end,
}

check {
  name = "repeats itself",
  did = "scored the networks again in a new VM, and twice in a row", expected = "the same scores, bit for bit",
  mend = "Draw from nas.stream with a name of your own; keep nothing between calls.",
  run = function(kit)
    expect_same(kit, kit:play("scores", {}, { seconds = 300 }).returned, "in another VM")
    expect_same(kit, scores(kit, "again", { again = true }), "the second time")
  end,
}

check {
  name = "scores each network by itself",
  did = "scored the tenth network without the nine before it", expected = "the same score",
  mend = "A score must depend on the network and the batches alone: keep nothing in variables outside the function.",
  run = function(kit) expect_same(kit, scores(kit, "only", { only = 10 }), "alone", 10) end,
}

check {
  name = "depends on the batch",
  did = "scored the networks on other images", expected = "other scores, if it looks at the data",
  mend = "Nothing, if it looks at the network alone.",
  run = function(kit)
    local found, other = plain(kit), scores(kit, "other", { other = true })
    for index, score in ipairs(other.scores) do
      if score ~= found.scores[index] then return end
    end
    Kit.verdict { outcome = "note", got = "the same scores on other images" }
  end,
}

check {
  name = "prefers convolutions to skip connections",
  did = "compared a network of 3×3 convolutions with one of skip connections",
  expected = "the first ahead, as it is after training",
  mend = "Look whether `direction` is right.",
  run = function(kit)
    local found = plain(kit)
    local conv, skip = found.scores[11], found.scores[12]
    if conv == nil then Kit.verdict { outcome = "skipped", got = "the file gives a space of its own" } end
    local sign = found.direction == "min" and -1 or 1
    if sign * conv <= sign * skip then
      local words = '%.6g for convolutions, %.6g for skip connections, direction = "%s"'
      Kit.verdict { outcome = "note", got = words:format(conv, skip, found.direction) }
    end
  end,
}

return checks
