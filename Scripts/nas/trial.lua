-- A trial: one architecture evaluated at one budget. The evaluator is given it; strategies compare finished ones.

local core = require "nas.core"

local Trial = {}
local index = core.class_index(Trial, "trial", { "built", "charged", "continues", "failed", "kept", "key", "scopes" })
local metatable = { __index = index }

core.declare_class(metatable, {
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
    { "seconds", "number", doc = "that its evaluation took, or what trial:charge said" },
    { "feasible", "boolean", doc = "whether it keeps the constraints" },
    { "violation", "number", doc = "by how much it doesn't: 0 when it does" },
    { "continues", "Trial", optional = true, doc = "the trial that search:continue goes on from" },
    { "search", "Search", doc = "the search that it belongs to" },
  },
})

--- A metric that isn't there is nil, and an error about nil that follows names it.
local function missing_metric(metrics, name)
  local known = {}
  for other in pairs(metrics) do known[#known + 1] = other end
  table.sort(known)
  core.missing(("There is no metric '%s'; there %s %s."):format(
    tostring(name), #known == 1 and "is" or "are", #known > 0 and table.concat(known, ", ") or "none"))
end

local metrics_metatable = { __index = missing_metric }

--- The metatable of a finished trial, or of a table in it. What it doesn't have is asked of `otherwise(table, name)`.
local function finished(otherwise)
  return core.read_only_metatable(function(name)
    return {
      message = ("a finished trial is read-only: can't set '%s'"):format(name),
      hint = "Keep what belongs to a trial in a table of your own: notes[trial] = ….",
    }
  end, otherwise)
end

local finished_trial, finished_metrics, finished_part = finished(index), finished(missing_metric), finished()

--- Makes a trial read-only: what a search found out is nobody's to change.
local function finish(trial)
  core.make_read_only(trial.reports, finished_part)
  core.freeze(setmetatable(trial.metrics, finished_metrics))
  core.freeze(setmetatable(trial, finished_trial))
end

--- The budgets of the trials that one goes on from, the first first.
local function chain_of(continues)
  if not continues then return {} end
  local chain = table.move(continues.chain, 1, #continues.chain, 1, {})
  chain[#chain + 1] = continues.budget
  return chain
end

--- A new, unfinished trial of `search`; `continues` is the trial that it goes on from.
local function new(search, number, arch, budget, continues)
  return setmetatable({
    search = search,
    number = number,
    arch = arch,
    budget = budget,
    continues = continues,
    chain = chain_of(continues),
    metrics = setmetatable({}, metrics_metatable),
    reports = {},
    feasible = true,
    violation = 0,
    is_again = false,
    done = false,
    seconds = 0,
  }, metatable)
end

Trial.report = core.declare("trial:report", {
  doc = "Records metrics of one epoch, for the learning curve and the progress display. Reports of one epoch are joined.",
  context = "evaluator",
  { "trial", "any" },
  { "epoch", "integer", min = 0, doc = "the epoch that is over, from 1; 0 for before the first" },
  { "metrics", "table<string, number>", doc = "numbers by name" },
  returns = "nothing",
  example = "trial:report(epoch, { accuracy = 71.5, train_loss = 0.9 })",
}, function(trial, epoch, metrics)
  local report = { epoch = epoch, metrics = {} }
  for name, value in pairs(metrics) do report.metrics[name] = core.number(value, "trial:report", name) end
  local last = trial.reports[#trial.reports]
  if last and last.epoch == epoch then
    for name, value in pairs(report.metrics) do last.metrics[name] = value end
  else
    trial.reports[#trial.reports + 1] = report
  end
  if trial.is_again then return end
  core.progress { search = trial.search.name, trial = trial.number, epoch = epoch, metrics = report.metrics }
end)

--- A trial computed once more, for the state that its training ended in: its checkpoint is gone.
local function evaluated_again(trial)
  local again = new(trial.search, trial.number, trial.arch, trial.budget, trial.continues)
  again.is_again = true
  core.note(("%s: trial %d is trained again to go on from it: its state %s"):format(
    trial.search.name, trial.number,
    next(trial.budget) and "is no longer kept" or "is only kept when it is asked for with a budget"))
  core.within(again:draws(), function() trial.search.evaluator.run(again) end)
  return again
end

Trial.network = core.declare("trial:network", {
  doc = [[
The stand-alone network of the trial's architecture, built once. Its weights are drawn from the stream
`trial/<arch id>/<repeat>/weights`, so that they depend on the seed and the architecture alone. Of a trial that goes on
from another one (`trial.continues`), the network as the other one left it; the next fit goes on with its training.]],
  context = "evaluator",
  { "trial", "any" },
  returns = "Network",
}, function(trial)
  local built = trial.built or trial.search.networks[trial]
  if built then return built end
  local data = trial.search.evaluator.data
  if not data then
    core.fail {
      message = "trial:network() needs to know the task",
      expected = "an evaluator with its data: nas.evaluator { data = …, run = … }",
      got = "an evaluator without data",
    }
  end
  built = core.network(trial.arch, data, trial:stream())
  local earlier = trial.continues
  if earlier and not core.go_on(built, earlier.key) then
    built = evaluated_again(earlier).built or built
    core.go_on(built)
  end
  if trial.done then
    trial.search.networks[trial] = built
  else
    trial.built = built
  end
  return built
end)

Trial.keep = core.declare("trial:keep", {
  doc = [[
Says which network the evaluator's result is of, where that isn't `trial:network()`: one of shared weights, or the
best of several. It is what is measured, kept when the trial joins the front, and exported. An evaluator that asks
`trial:network()` for its size alone and scores another network has to name that one.]],
  context = "evaluator",
  { "trial", "any" },
  { "network", "Network", doc = "of the trial's architecture" },
  returns = "nothing",
  example = "trial:keep(weights:network(trial.arch, { recalibrate = 10 }))",
}, function(trial, network)
  if network.arch:id() ~= trial.arch:id() then
    core.fail {
      message = "trial:keep got the network of another architecture",
      expected = tostring(trial.arch),
      got = tostring(network.arch),
    }
  end
  trial.kept = network
end)

Trial.charge = core.declare("trial:charge", {
  doc = [[
Charges the trial with `seconds` in place of the time that it takes: for tables and simulations. They become
`trial.seconds` and the metric `charged_seconds`, and count for nas.stop.cost. Charges add up.]],
  context = "evaluator",
  { "trial", "any" },
  { "seconds", "number", min = 0, doc = "to be added" },
  returns = "nothing",
}, function(trial, seconds) trial.charged = (trial.charged or 0.0) + seconds end)

--- The name of the random streams of the trial's network: the same for all trials of one training.
function Trial:stream()
  return ("trial/%s/%d"):format(self.arch:id(), self.budget["repeat"] or 0)
end

--- The name of the random stream that its evaluator draws from.
function Trial:draws()
  if #self.chain == 0 then return self:stream() end
  return self:stream() .. "/after/" .. core.canonical(self.chain)
end

finished_trial.__name = metatable.__name

--- A row for people: number, architecture, metrics in the order of the objectives, then the rest.
function metatable.__tostring(trial)
  local parts = { ("trial %d"):format(trial.number), tostring(trial.arch) }
  if trial.failed then
    parts[#parts + 1] = "failed: " .. trial.failed
  else
    local count = trial.feasible and #trial.search.objectives or #trial.search.required
    for index = 1, count do
      local name = trial.search.required[index]
      parts[#parts + 1] = name .. " " .. core.format_metric(name, trial.metrics[name])
    end
    if not trial.feasible then parts[#parts + 1] = "outside the constraints" end
  end
  return table.concat(parts, "  ")
end

finished_trial.__tostring = metatable.__tostring

return { new = new, finish = finish }
