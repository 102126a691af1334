-- Limits of time and memory of each trial.

local nas = require "nas"
local expect = require "expect"

local space = nas.space { width = nas.int(1, 9) }
local function arch(width) return space:make { width = width } end
local function list(...)
  local archs = {}
  for index, width in ipairs { ... } do archs[index] = arch(width) end
  return archs
end

-- A loop in Lua, also one that catches everything; what was reported until then is kept, and the search goes on.
local function loops(trial)
  if trial.arch.width == 2 then
    trial:report(1, { accuracy = 7 })
    while true do pcall(function() while true do end end) end
  end
  return { accuracy = trial.arch.width }
end
local result = nas.search {
  space = space, strategy = nas.strategies.listed(list(1, 2, 3)), evaluate = loops, limits = { seconds = 1 },
}
local late = result.trials[2]
expect.equal(late.failed, "over its limit of 1 second")
expect.equal({ late.metrics.accuracy, late.metrics.over_seconds, late.feasible }, { -math.huge, 1, false })
expect.equal(late.reports, { { epoch = 1, metrics = { accuracy = 7.0 } } })
expect.is_true(late.seconds >= 0.9, "took " .. late.seconds .. " s")
expect.equal(result:best().arch.width, 3)

-- What is known of it counts for searches with the same limit; a larger one tries again.
local again = nas.search {
  space = space, strategy = nas.strategies.listed(list(2)), evaluate = loops, limits = { seconds = 1 },
}
expect.equal(again.trials[1].failed, late.failed)
expect.equal(again.trials[1].seconds, late.seconds)
local longer = nas.search {
  space = space, strategy = nas.strategies.listed(list(2)), evaluate = loops, limits = { seconds = 1.1 },
}
expect.equal(longer.trials[1].failed, "over its limit of 1.1 seconds")

-- Native work: a training, a measurement.
local data = nas.data.open("shapes", { valid = 50, limit = 300, test_limit = 50 })
local cells = nas.spaces.nasbench201 { channels = 4, cells = 1 }
local function limited(run, limits)
  return nas.search {
    space = cells, evaluate = nas.evaluator { data = data, run = run }, limits = limits,
    strategy = function(search) search:evaluate(search.space:random()) end,
  }.trials[1]
end
local trial = limited(function(trial)
  trial:network():fit { data = data, epochs = 100000, batch = 8 }
  return { accuracy = 1 }
end, { seconds = 0.3 })
expect.equal(trial.failed, "over its limit of 0.3 seconds")
trial = limited(function(trial) return { accuracy = trial:network():latency({ calls = 1000000 }).median_ms } end, { seconds = 0.2 })
expect.equal(trial.failed, "over its limit of 0.2 seconds")

-- Memory: 400 MB of tensors, kept.
local function hoards()
  local kept = {}
  for index = 1, 400 do kept[index] = nas.zeros { 1000, 250 } + index end
  return { accuracy = #kept }
end
trial = limited(hoards, { memory_mb = 100 })
expect.equal({ trial.failed, trial.metrics.over_memory_mb }, { "over its limit of 100 MB of memory", 100.0 })
expect.equal(limited(hoards, { memory_mb = 4000, seconds = 100 }).metrics.accuracy, 400.0)

local function wrong(limits, text)
  expect.raises(text, function()
    nas.search { space = space, strategy = nas.strategies.listed(list(1)), evaluate = loops, limits = limits }
  end)
end
wrong({ second = 3 }, "nas.search: unknown limit 'second'. Did you mean 'seconds'?")
wrong({ seconds = 0 }, "nas.search: wrong limit 'seconds': expected a number above 0, got 0")
