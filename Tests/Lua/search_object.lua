-- The search object: ask and tell, phases, what runs at the end, where a search begins, constraints.

local nas = require "nas"
local expect = require "expect"

local space = nas.space { width = nas.int(1, 1000) }
local function arch(width) return space:make { width = width } end
local function evaluate(trial) return { accuracy = trial.arch.width } end
--- The widths of architectures, or of those of trials.
local function widths(items)
  local list = {}
  for index, item in ipairs(items) do list[index] = type(item) == "table" and item.arch.width or item.width end
  return list
end
local function search(options)
  options.space = options.space or space
  options.evaluate = options.evaluate or evaluate
  return nas.search(options)
end

-- MARK: ask and tell

local function counting(last, log)
  return {
    width = 0,
    ask = function(self)
      if self.width == last then return nil end
      self.width = self.width + 1
      log[#log + 1] = "ask " .. self.width
      return arch(self.width), { round = self.width }
    end,
    tell = function(_, trial, object)
      log[#log + 1] = ("tell %d %d %d"):format(trial.arch.width, trial.budget.round, #object.history)
    end,
    finish = function(_, object) log[#log + 1] = "finish " .. #object.history end,
  }
end

local log = {}
local result = search { strategy = counting(2, log) }
expect.equal(log, { "ask 1", "tell 1 1 1", "ask 2", "tell 2 2 2", "finish 2" })
expect.equal(result.reason, "the strategy ended")

-- With a window of 2 two are in flight; they are told in the order asked, also after a stop, before `finish`.
log = {}
result = search { strategy = counting(9, log), window = 2, stop = { trials = 3 } }
expect.equal(log, { "ask 1", "ask 2", "tell 1 1 1", "ask 3", "tell 2 2 2", "ask 4", "tell 3 3 3", "finish 3" })
expect.equal(result.reason, "3 trials done")

local asked = false
search {
  strategy = { ask = function() asked = not asked; return asked and arch(7) or nil end },
}
expect.raises(
  "wrong result of the strategy's ask: expected an Architecture and a budget such as { epochs = 9 }, or nil at the end, got 7",
  function() search { strategy = { ask = function() return 7 end } } end)
expect.raises(
  "nas.search: wrong strategy: expected function(search), or { ask = function(self, search), tell = …, finish = … }, "
    .. "got a table whose 'ask' is missing", function() search { strategy = { tell = print } } end)

-- MARK: phases

local seen
result = search {
  strategy = function(object)
    object:evaluate(arch(1))
    local trials, why = object:phase("climb", { stop = { trials = 2, target = 50 } }, function(inner)
      for width = 2, 9 do inner:evaluate(arch(width)) end
    end)
    seen = { widths(trials), why }
    trials, why = object:phase("again", {}, function(inner) inner:map { arch(1), arch(60) } end)
    seen[3], seen[4] = widths(trials), why
    seen[5] = select(2, object:phase("target", { stop = { target = 50 } }, function(inner)
      inner:evaluate(arch(51))
      inner:evaluate(arch(52))
    end))
  end,
}
expect.equal(seen, { { 2, 3 }, "2 trials done", { 1, 60 }, "the phase ended", "accuracy reached 50" })
expect.equal(widths(result.trials), { 1, 2, 3, 60, 51 })
expect.equal(result.reused, 1)

-- A stop of the whole search ends the phase, and the phases around it; what was put off runs from the inside out.
log = {}
result = search {
  stop = { trials = 3 }, window = 3,
  strategy = function(object)
    object:finish(function(o) log[#log + 1] = "search " .. o:evaluate(arch(500)).number end)
    object:phase("outer", { stop = { trials = 100 } }, function(outer)
      outer:finish(function(o) log[#log + 1] = "outer " .. #o.history end)
      outer:phase("inner", {}, function(inner)
        inner:finish(function() log[#log + 1] = "inner" end)
        while true do pcall(function() inner:submit(inner.space:random()) end) end
      end)
      log[#log + 1] = "never"
    end)
    log[#log + 1] = "never"
  end,
}
expect.equal(log, { "inner", "outer 3", "search 4" })
expect.equal(result.reason, "3 trials done")
expect.equal(#result.trials, 4)

-- An error in a phase that the strategy catches leaves the phase.
result = search {
  strategy = function(object)
    pcall(function() object:phase("broken", { stop = { trials = 1 } }, function() error("no") end) end)
    object:evaluate(arch(1))
    object:evaluate(arch(2))
  end,
}
expect.equal(#result.trials, 2)
expect.raises("search:phase: unknown option 'stpo'. Did you mean 'stop'?", function()
  search { strategy = function(object) object:phase("p", { stpo = {} }, print) end }
end)

-- MARK: where a search begins

result = search { strategy = nas.strategies.listed { arch(5), arch(8), arch(3) } }
local started = search {
  start = result:top(2), stop = { trials = 4 }, strategy = nas.strategies.regularized_evolution { population = 3 },
}
expect.equal({ started.trials[1].arch.width, started.trials[2].arch.width }, { 8, 5 })
search {
  start = result:top(3),
  strategy = function(object)
    expect.equal(widths(object:initial(2)), { 8, 5 })
    expect.equal(#object:initial(5), 5)
    expect.equal(widths(object.start), { 8, 5, 3 })
  end,
}
expect.raises(
  "nas.search: wrong architecture 1 of 'start': expected architectures such as result:top(10) gives, or "
    .. "nas.warm_start { … }, got 8", function() search { start = { 8 }, strategy = print } end)

-- Each phase of a sequence begins with the best so far.
local beginnings = {}
local function noting(count)
  return function(object)
    beginnings[#beginnings + 1] = widths(object.start)
    for _, one in ipairs(object:initial(count)) do object:evaluate(one) end
  end
end
result = search {
  strategy = nas.strategies.sequence {
    { nas.strategies.listed { arch(5), arch(8), arch(3) }, stop = { trials = 2 }, name = "listed" },
    { noting(3) },
    { noting(1) },
  },
}
expect.equal(beginnings[1], { 8, 5 })
expect.equal(beginnings[2][#beginnings[2]], 5 < result.trials[3].arch.width and 5 or result.trials[3].arch.width)
expect.equal(#result.trials, 3)
expect.raises("nas.strategies.sequence: wrong phase 1: expected { strategy, stop = rule, name = text }, got a table without a strategy",
  function() nas.strategies.sequence { { stop = { trials = 1 } } } end)

-- A warm start: of 6 cells, those with the most 3×3 convolutions by the proxy.
local data = nas.data.open("shapes", { valid = 20, limit = 60, test_limit = 20 })
local cells = nas.spaces.nasbench201 { channels = 2, cells = 1 }
local proxy = nas.proxy { name = "size", score = function(network) return network.params end }
local scored
local warm = nas.search {
  space = cells, objectives = { { "params", "min" } },
  start = nas.warm_start { proxy = proxy, data = data, sample = 6, keep = 2, batch = 8 },
  evaluate = nas.evaluator { data = data, run = function(trial) return { params = trial:network().params } end },
  strategy = function(object)
    scored = object.start
    object:map(object:initial(2))
  end,
}
expect.equal(#scored, 2)
expect.is_true(warm.trials[1].metrics.params >= warm.trials[2].metrics.params)
expect.equal(nas.search {
  space = space, evaluate = evaluate, strategy = nas.strategies.listed { arch(1) },
}.name:match("%a+"), "search")

local nothing_listed = "nas.strategies.listed: no architectures: expected a list: nas.strategies.listed { arch, … }, got "
expect.raises(nothing_listed .. "a table with names", function() nas.strategies.listed { archs = { arch(1) } } end)
expect.raises(nothing_listed .. "an empty list", function() nas.strategies.listed {} end)

-- MARK: constraints (Deb 2000, section 3)

local function measured(trial)
  local width = trial.arch.width
  if width == 13 then error { message = "no luck" } end
  return { accuracy = width, size = width * 10 }
end
local order
result = nas.search {
  space = space, evaluate = measured, constraints = { size = { max = 100 } },
  objectives = { { "accuracy", "max" }, { "size", "min" } },
  strategy = function(object)
    local trials = object:map { arch(40), arch(13), arch(2), arch(9), arch(20) }
    order = widths(object:rank(trials))
    expect.is_true(object:better(trials[3], trials[1]))
    expect.is_true(object:better(trials[5], trials[1]))
    expect.is_true(object:better(trials[1], trials[2]))
  end,
}
expect.equal(order, { 9, 2, 20, 40, 13 })
expect.equal(result:best().arch.width, 9)
expect.equal(widths(result:front()), { 9, 2 })
expect.equal(widths(result:top(9)), { 9, 2 })

-- By a metric that is no objective, and by one that there isn't.
expect.equal(widths(result:top(9, "accuracy")), { 9, 2 })
expect.equal(nas.search {
  space = space, strategy = nas.strategies.listed { arch(1), arch(3) },
  evaluate = function(trial) return { accuracy = 1, seen = trial.arch.width > 1 and 5 or nil } end,
}:best("seen").arch.width, 3)
local unknown = "there is no metric 'acuracy'. Did you mean 'accuracy'?"
expect.raises(unknown, function() result:best("acuracy") end)
expect.raises(unknown, function() result:top(2, "acuracy") end)
expect.raises(unknown, function() result.search:rank(result.trials, "acuracy") end)
expect.raises(unknown, function() result.search:better(result.trials[3], result.trials[4], "acuracy") end)
expect.raises(unknown, function() result.search:better(result.trials[2], result.trials[2], "acuracy") end)

local violations = {}
for index, trial in ipairs(result.trials) do violations[index] = { trial.feasible, trial.violation } end
expect.equal(violations, { { false, 3.0 }, { false, math.huge }, { true, 0.0 }, { true, 0.0 }, { false, 1.0 } })
expect.equal(tostring(result.trials[1]),
  'trial 1  {"width":40}  accuracy 40.00  size 400.00  outside the constraints')

-- A target is reached by a trial that keeps them.
result = nas.search {
  space = space, evaluate = measured, constraints = { size = { max = 100 } }, stop = { target = 8 },
  strategy = function(object)
    for _, width in ipairs { 20, 9, 30 } do object:evaluate(arch(width)) end
  end,
}
expect.equal({ result.reason, #result.trials }, { "accuracy reached 8", 2 })

result = nas.search {
  space = space, evaluate = measured, constraints = { size = { max = 100 } },
  strategy = nas.strategies.listed { arch(40), arch(20) },
}
expect.raises(
  "no trial of the search '" .. result.name .. "' keeps the constraints: got nearest: trial 2  {\"width\":20}  accuracy "
    .. "20.00  size 200.00  outside the constraints. Widen the constraints, or search where they can be kept.",
  function() result:best() end)

local function wrong(constraints, text)
  expect.raises(text, function() search { strategy = print, constraints = constraints } end)
end
wrong({ size = 5 }, "wrong constraint 'size' of nas.search: expected { max = number }, { min = number } or both, got 5")
wrong({ size = { most = 5 } }, "got the key 'most'")
wrong({ size = { min = 3, max = 2 } }, "got min = 3 above max = 2")
wrong({ size = {} }, "got {}")
expect.raises("the evaluator did not report the constraint 'sise', and it can't be measured. Did you mean 'size'?", function()
  nas.search {
    space = space, evaluate = measured, constraints = { sise = { max = 1 } }, strategy = nas.strategies.listed { arch(2) },
  }
end)

-- MARK: charges

local charged = nas.search {
  space = space, stop = { cost = 100 },
  evaluate = function(trial)
    trial:charge(30)
    trial:charge(10)
    if trial.arch.width == 2 then error { message = "no" } end
    return { accuracy = 1 }
  end,
  strategy = function(object)
    for width = 1, 9 do object:evaluate(arch(width)) end
  end,
}
expect.equal({ charged.reason, #charged.trials, charged.trials[2].seconds }, { "a cost of 100 seconds reached", 3, 40.0 })
-- A reused trial is charged each time.
charged = nas.search {
  space = space, stop = { cost = 100 }, duplicates = "reuse",
  evaluate = function(trial) trial:charge(30); return { accuracy = 1 } end,
  strategy = function(object)
    while true do object:evaluate(arch(1)) end
  end,
}
expect.equal({ charged.reason, #charged.trials, charged.reused }, { "a cost of 100 seconds reached", 1, 3 })

-- MARK: a training that diverges

local diverging = nas.search {
  space = cells, objectives = { { "accuracy", "max" } },
  evaluate = nas.evaluators.train { data = data, batch = 8, epochs = 2, lr = 1e12, schedule = "constant" },
  strategy = function(object)
    local trial = object:evaluate(cells:parse(
      "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"))
    expect.equal(trial.failed, "diverged: the loss is not a number")
    expect.equal({ trial.metrics.accuracy, trial.feasible }, { -math.huge, false })
    expect.equal(object:continue(trial, { epochs = 3 }).failed:match("failed: (.*)"), trial.failed)
  end,
}
expect.equal(#diverging.trials, 2)

-- MARK: duplicates that are run again

-- A trial that was run again goes on with its own random streams.
local again = nas.search {
  space = cells, duplicates = "rerun", evaluate = nas.evaluators.train { data = data, batch = 8, schedule_epochs = 2 },
  strategy = function(object)
    local one = cells:parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
    object:evaluate(one, { epochs = 1 })
    object:continue(object:evaluate(one, { epochs = 1 }), { epochs = 2 })
    object:evaluate(one, { epochs = 2 })
    object:evaluate(one, { epochs = 2 })
  end,
}
local losses = {}
for index, trial in ipairs(again.trials) do losses[index] = trial.metrics.loss end
expect.is_true(losses[1] ~= losses[2], "another stream")
expect.equal(losses[3], losses[5])
expect.is_true(losses[3] ~= losses[4])

expect.raises("the architecture was asked for before", function()
  nas.search {
    space = space, duplicates = "forbid", evaluate = evaluate,
    strategy = function(object)
      local trial = object:evaluate(arch(1), { epochs = 1 })
      object:continue(trial, { epochs = 2 })
      object:continue(trial, { epochs = 2 })
    end,
  }
end)

-- MARK: texts

local counted = nas.search {
  name = "counted", space = nas.space { n = nas.int(1, 1) }, strategy = nas.strategies.grid {},
  objectives = { { "params", "min" }, "accuracy" }, evaluate = function() return { params = 802, accuracy = 97.5 } end,
}
expect.equal(tostring(counted:best()), 'trial 1  {"n":1}  params 802  accuracy 97.50')

-- MARK: what a search found out is read-only

local refused = "a finished trial is read-only: can't set '%s'. Keep what belongs to a trial in a table of your own: "
  .. "notes[trial] = …."
result = nas.search {
  space = space,
  evaluate = function(trial)
    trial:report(1, { accuracy = 1 })
    return { accuracy = trial.arch.width }
  end,
  strategy = function(object)
    local trial = object:evaluate(arch(5))
    for name, change in pairs {
      failed = function() trial.failed = "mine" end,
      number = function() trial.number = 7 end,
      mine = function() trial.mine = true end,
      accuracy = function() trial.metrics.accuracy = 1000 end,
      epoch = function() trial.reports[1].epoch = 9 end,
      loss = function() trial.reports[1].metrics.loss = 9 end,
      ["2"] = function() trial.reports[2] = {} end,
    } do
      expect.raises(refused:format(name), change)
    end
    local names = {}
    for name in pairs(trial.metrics) do names[#names + 1] = name end
    expect.equal(names, { "accuracy" })
    expect.equal(#trial.reports, 1)
    expect.equal(trial.reports[1].metrics.accuracy, 1.0)
    expect.equal(trial.metrics.nothing, nil)
    expect.raises("a trial has no 'acuracy'", function() return trial.acuracy end)
    object:evaluate(arch(6))
  end,
}
expect.equal(result:best().arch.width, 6)
expect.equal(#result:front(), 1)
expect.equal(tostring(result:best()), 'trial 2  {"width":6}  accuracy 6.00')

-- MARK: a metric that isn't a number has no sign
local signed = nas.search {
  space = nas.space { a = nas.int(1, 2) }, strategy = nas.strategies.random {}, stop = { trials = 1 },
  objectives = { { "accuracy", "max" }, { "other", "min" } },
  evaluate = function() return { accuracy = 1, other = 0 / 0 } end,
}
assert(tostring(signed.trials[1]):find("other nan", 1, true), tostring(signed.trials[1]))
