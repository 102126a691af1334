-- The suite of spaces.

local Kit = require "nas.testing.kit"

local checks = {}

--- A check that is one case: wrong when the case says so.
local function check(fields)
  fields.run = fields.run or function(kit)
    local found = kit:play(fields.case, {}, { seconds = 120 }).returned
    if found.wrong then Kit.verdict { got = found.wrong } end
    if found.note then Kit.verdict { outcome = "note", got = found.note } end
  end
  checks[#checks + 1] = fields
end

check {
  name = "draws, mutates and crosses within itself", case = "stays", essential = true,
  did = "made 100 architectures by random, mutate, crossover and neighbors",
  expected = "architectures that space:make makes again from their decisions",
  mend = "Look at `valid`: it must depend on the architecture alone.",
}

check {
  name = "reads what it writes", case = "texts",
  did = "took the text of 100 architectures and gave it to space:parse",
  expected = "the same architectures, and a text of its own for each",
  mend = "`format` must tell all decisions apart and `parse` must undo it; without both, the text is JSON.",
}

check {
  name = "reaches every option", case = "options",
  did = "drew 2000 architectures", expected = "every option of every decision at least once",
  mend = "`valid` rejects every architecture with this option; take the option out, or loosen `valid`.",
}

check {
  name = "counts its architectures", case = "size",
  did = "went through space:iterate() (up to 20,000 architectures)",
  expected = "each architecture once, and no more than space:size()",
  mend = "`valid` must depend on the architecture alone.",
}

check {
  name = "builds every architecture", case = "builds",
  did = "built the networks of 30 random architectures", expected = "no error",
  mend = "Mend build for this architecture, or reject it in `valid`.",
}

check {
  name = "builds the same network each time",
  did = "built 12 architectures twice, in two orders, in two VMs",
  expected = "the same network for the same architecture",
  mend = "build must depend on its arguments alone: no counters and tables that it keeps between calls.",
  run = function(kit)
    local first, second = kit:play("digests").returned, kit:play("digests").returned
    local wrong = first.wrong
    for index, digest in ipairs(first.digests or {}) do
      if digest ~= (second.digests or {})[index] then wrong = "another network in another VM: " .. first.first end
    end
    if wrong then Kit.verdict { got = wrong } end
  end,
}

check {
  name = "costs something", case = "costs",
  did = "counted parameters and multiply-accumulates of 30 networks", expected = "more than none of each",
  mend = "A network without parameters can't learn. End build with a layer that depends on x, such as nn.linear.",
}

check {
  name = "learns without NaN", case = "learns",
  did = "trained 3 networks for an epoch on 64 images", expected = "a finite loss",
  mend = "Put nn.batch_norm after convolutions, and scale sums of many branches.",
}

check {
  name = "has no decision without effect", case = "matters",
  did = "changed decisions one by one and built the networks",
  expected = "another network, unless the decision is about the training",
  mend = "Use the decision in build, or leave it out: it makes the space larger and the search slower.",
}

check {
  name = "shares weights", case = "shares",
  did = "made nas.weights of the space and took 4 steps on random paths", expected = "a finite loss",
  mend = [[
Give layers that differ between architectures a scope or a name of their own, and take branches by nn.choice.
For a space that is only trained stand-alone: --skip "shares weights".]],
}

check {
  name = "can be relaxed", case = "relaxes",
  did = "made nas.relax of the space", expected = "no error, if it is to be searched by gradients",
  mend = "Nothing, if it isn't. Else give the decisions to nn.choice or nn.pick, and fix the others with space:fix.",
}

return checks
