-- A trial: one architecture evaluated at one budget. The evaluator is given it; strategies compare finished ones.

local core = require "nas.core"

local Trial = {}
local metatable = { __index = core.class_index(Trial, "trial", { "built", "delivered", "failed" }) }

core.class(metatable, {
  name = "Trial",
  object = "trial",
  doc = [[
One architecture evaluated at one budget. An evaluator is given it before it is finished; a strategy gets it finished.
print(trial) shows its number, architecture and metrics.]],
  fields = {
    { "number", "integer", doc = "from 1, in the order asked" },
    { "arch", "Architecture", doc = "what is evaluated" },
    { "budget", "table<string, any>", doc = "what search:evaluate was given, such as { epochs = 9 }; {} by default" },
    { "metrics", "table<string, number>", doc = "by name; of a failed trial each objective has its worst value" },
    { "failed", "string", optional = true, doc = "why it failed; nil when it didn't" },
    { "reports", "table[]", doc = "what trial:report was given: { epoch =, metrics = }" },
    { "done", "boolean", doc = "whether it is finished" },
    { "seconds", "number", doc = "that its evaluation took" },
    { "search", "Search", doc = "the search that it belongs to" },
  },
})

--- A new, unfinished trial of `search`.
local function new(search, number, arch, budget)
  return setmetatable({
    search = search,
    number = number,
    arch = arch,
    budget = budget,
    metrics = {},
    reports = {},
    failed = nil,
    done = false,
    seconds = 0,
  }, metatable)
end

Trial.report = core.declare("trial:report", {
  doc = "Records metrics of one epoch, for the learning curve and the progress display.",
  context = "evaluator",
  { "trial", "any" },
  { "epoch", "integer", min = 0, doc = "the epoch that is over, from 1; 0 for before the first" },
  { "metrics", "table<string, number>", doc = "numbers by name" },
  returns = "nothing",
  example = "trial:report(epoch, { accuracy = 71.5, train_loss = 0.9 })",
}, function(trial, epoch, metrics)
  local report = { epoch = epoch, metrics = {} }
  for name, value in pairs(metrics) do report.metrics[name] = core.number(value, "trial:report", name) end
  trial.reports[#trial.reports + 1] = report
  core.progress { search = trial.search.name, trial = trial.number, epoch = epoch, metrics = report.metrics }
end)

Trial.network = core.declare("trial:network", {
  doc = [[
The stand-alone network of the trial's architecture, built once. Its weights are drawn from the stream
`trial/<arch id>/<repeat>/weights`, so that they depend on the seed and the architecture alone.]],
  context = "evaluator",
  { "trial", "any" },
  returns = "Network",
}, function(trial)
  if not trial.built then
    local data = trial.search.evaluator.data
    if not data then
      core.fail {
        message = "trial:network() needs to know the task",
        expected = "an evaluator with its data: nas.evaluator { data = …, run = … }",
        got = "an evaluator without data",
      }
    end
    trial.built = core.network(trial.arch, data, trial:stream())
  end
  return trial.built
end)

--- The name of the trial's random stream.
function Trial:stream()
  return ("trial/%s/%d"):format(self.arch:id(), self.budget["repeat"] or 0)
end

--- A row for people: number, architecture, metrics in the order of the objectives, then the rest.
function metatable.__tostring(trial)
  local parts = { ("trial %d"):format(trial.number), tostring(trial.arch) }
  if trial.failed then
    parts[#parts + 1] = "failed: " .. trial.failed
  else
    for _, objective in ipairs(trial.search.objectives) do
      parts[#parts + 1] = objective.name .. " " .. core.format_metric(objective.name, trial.metrics[objective.name])
    end
  end
  return table.concat(parts, "  ")
end

return { new = new }
