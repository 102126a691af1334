-- What the suite of evaluators does with one: small searches that evaluate given architectures.

local nas = require "nas"
local nn = nas.nn

local cases = {}

local function standard_space() return nas.spaces.nasbench201 { channels = 4, cells = 1 } end

--- The evaluator with an objective of its own, so that it may report any metrics.
local function wrapped(evaluator)
  if type(evaluator) == "function" then evaluator = nas.evaluator { run = evaluator } end
  local run = evaluator.run
  return nas.evaluator {
    data = evaluator.data, epochs = evaluator.epochs, depends = evaluator.depends,
    run = function(trial)
      local metrics = run(trial)
      if type(metrics) ~= "table" then return metrics end
      local all = { conformance = 0 }
      for name, value in pairs(metrics) do all[name] = value end
      return all
    end,
  }
end

local function evaluate(evaluator, space, archs, budget)
  local result = nas.search {
    name = "case", space = space, evaluate = wrapped(evaluator), objectives = { { "conformance", "max" } },
    strategy = function(search) search:map(archs, budget) end,
  }
  local trials = {}
  for index, trial in ipairs(result.trials) do
    local metrics, epochs = {}, {}
    for name, value in pairs(trial.metrics) do
      if name ~= "conformance" then metrics[name] = value end
    end
    for number, report in ipairs(trial.reports) do epochs[number] = report.epoch end
    trials[index] = { arch = tostring(trial.arch), metrics = metrics, failed = trial.failed, epochs = epochs }
  end
  return { trials = trials }
end

--- Evaluates four architectures, or `only` one of them, with a `budget`.
function cases.evaluate(evaluator, arguments, space)
  space = space or standard_space()
  local drawn, archs = space:bind("evaluator"), {}
  for index = 1, 4 do
    local arch = drawn:random()
    if not arguments.only or index == arguments.only then archs[#archs + 1] = arch end
  end
  return evaluate(evaluator, space, archs, arguments.budget or {})
end

--- Evaluates networks whose outputs overflow.
function cases.overflow(evaluator)
  local space = nas.space {
    op = nas.oneof { "a", "b" },
    build = function(arch, x, task)
      x = nn.conv2d(x, arch.op == "a" and 4 or 6, { kernel = 3 })
      for _ = 1, 140 do x = nn.add(x, x) end
      return nn.linear(nn.global_avg_pool(x), task.classes)
    end,
  }
  return evaluate(evaluator, space, { space:make { op = "a" }, space:make { op = "b" } }, {})
end

--- Whether the file gave a space with the evaluator.
function cases.given(_, _, space) return { given = space ~= nil } end

return cases
