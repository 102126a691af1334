import Canonical
import Foundation
import RunStore
import TensorCore
import Testing

/// Kills real runs at random moments and resumes them: the exact journals end the same, and nothing is paid twice.
@Suite(.serialized) struct KillTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// What several processes of one run did together.
  private struct History {
    var kills = 0
    /// Kills that came after the process had computed something.
    var killsAtWork = 0
    /// A line `paying …` for each execution of the evaluator.
    var output = ""
    var paid: [Substring] { output.split(separator: "\n").filter { $0.hasPrefix("paying ") } }
  }

  /// Runs a recipe to its end; while `kills` last, each process is killed after a random part of `seconds`, every
  /// other one counted from the first thing that it computes, so that many are killed at work.
  private func run(
    _ recipe: String, kills: Int, within seconds: Double, by signal: Int32 = SIGKILL, _ random: inout RandomStream
  ) throws -> History {
    var history = History(), isFinished = false
    while !isFinished {
      let isThere = FileManager.default.fileExists(atPath: place.runs.path) && (try? place.lastRun()) != nil
      let command = try Command(
        (isThere ? ["resume", "last"] : [recipe]) + ["-q", "--threads", "1"], in: place.folder)
      let limit = history.kills < kills ? random.uniform() * seconds : Command.hangs
      if history.kills < kills, history.kills % 2 == 0 { try command.waitForOutput() }
      let outcome = try command.outcome(killedAfter: limit, by: signal)
      history.output += outcome.output
      try #require([0, signal == SIGKILL ? -SIGKILL : 130].contains(outcome.status), "\(outcome.errors)")
      if outcome.status != 0 { history.kills += 1 }
      if outcome.status != 0, !outcome.output.isEmpty { history.killsAtWork += 1 }
      // A kill may come between the last word of the record and the end of the process.
      isFinished = outcome.status == 0 || (try? place.lastRun())?.status == .finished
    }
    return history
  }

  private func forgetRuns() throws { try FileManager.default.removeItem(at: place.runs) }

  @Test(.timeLimit(.minutes(20))) func fiftyKillsLeaveNoTrace() throws {
    try place.write("searches.lua", searches)
    var random = RandomStream(seed: 7, name: "kills")
    let clock = ContinuousClock(), start = clock.now
    let undisturbed = try run("searches.lua", kills: 0, within: 0, &random)
    let seconds = (clock.now - start) / .seconds(1)
    let journal = try place.lastRun().exactJournal()
    let trials = try place.lastRun().trials().count
    #expect(trials == 90 && undisturbed.paid.count == trials && Set(undisturbed.paid).count == trials)
    try forgetRuns()
    var kills = 0, killsAtWork = 0
    while kills < 50 {
      let history = try run("searches.lua", kills: min(25, 50 - kills), within: seconds / 5, &random)
      kills += history.kills
      killsAtWork += history.killsAtWork
      #expect(try place.lastRun().exactJournal() == journal)
      // A trial in flight at a kill is paid for again, and no other.
      #expect(Set(history.paid) == Set(undisturbed.paid))
      #expect(history.paid.count <= trials + history.kills)
      #expect(try place.lastRun().status == .finished)
      try forgetRuns()
    }
    #expect(killsAtWork >= 25)
  }

  /// Ctrl-C ends a training between two batches: nothing of it is recorded.
  @Test(.timeLimit(.minutes(20)), arguments: [SIGKILL, SIGINT], [training, sharedTraining, halving])
  func aTrainingThatWasEndedEndsWithTheSameWeights(_ signal: Int32, _ recipe: String) throws {
    try place.write("training.lua", recipe)
    var random = RandomStream(seed: 3, name: "kills")
    _ = try run("training.lua", kills: 0, within: 0, &random)
    let journal = try place.lastRun().exactJournal(), weights = try weights()
    #expect(weights.count >= 2)  // after each fit, and the model
    var kills = 0
    while kills < 3 {
      try forgetRuns()
      kills += try run("training.lua", kills: 5, within: 0.4, by: signal, &random).killsAtWork
      #expect(try place.lastRun().exactJournal() == journal)
      #expect(try self.weights() == weights)
    }
  }

  /// Trials of a table are written many at once, and looked up again after a kill; the record ends the same.
  @Test(.timeLimit(.minutes(20))) func lookupsAreNoEffects() throws {
    try place.write("table.lua", lookups)
    var random = RandomStream(seed: 5, name: "kills")
    let undisturbed = try run("table.lua", kills: 0, within: 0, &random).output
    let journal = try place.lastRun().exactJournal()
    #expect(try place.lastRun().trials().count == 600)
    #expect(journal.split(separator: "\n").count { $0.contains(#""entry":"effect""#) } == 0)
    try forgetRuns()
    let history = try run("table.lua", kills: 8, within: 0.3, &random)
    #expect(history.kills == 8)
    #expect(try place.lastRun().exactJournal() == journal)
    #expect(history.output.hasSuffix(undisturbed))
  }

  /// Trainings of a script's own, by steps: they end as if they had never been ended, and finished steps are not paid
  /// for again.
  @Test(.timeLimit(.minutes(20)), arguments: [relaxedTraining, modelTraining])
  func aTrainingByStepsGoesOn(_ recipe: String) throws {
    try place.write("training.lua", recipe)
    var random = RandomStream(seed: 5, name: "kills")
    let undisturbed = try run("training.lua", kills: 0, within: 0, &random)
    let journal = try place.lastRun().exactJournal(), weights = try weights()
    #expect(weights.count == 2)  // the last state, and what the recipe saved
    #expect(undisturbed.paid.count == 6)
    let end = undisturbed.output.split(separator: "\n").last
    var kills = 0
    while kills < 3 {
      try forgetRuns()
      let history = try run("training.lua", kills: 4, within: 1, by: SIGKILL, &random)
      kills += history.killsAtWork
      #expect(try place.lastRun().exactJournal() == journal)
      #expect(try self.weights() == weights)
      #expect(history.output.split(separator: "\n").last == end)
      #expect(history.paid.count <= 6 + history.kills, "\(history.output)")
    }
    // Another run takes the steps, and the state that they ended in.
    let child = try place.nasrun("training.lua", "-q", "--reuse", "last")
    #expect(child.output.split(separator: "\n").last == end && !child.output.contains("paying"))
    #expect(try self.weights() == weights)
  }

  /// A run is there from the first thing that takes time, so that it can be resumed.
  @Test func aRunThatWasKilledBeforeItsFirstEffectIsFound() throws {
    try place.write("early.lua", early)
    let command = try Command(["early.lua", "-q", "--set", "steps=1000000"], in: place.folder)
    try command.waitForOutput()
    #expect(try command.outcome(killedAfter: 0).status == -SIGKILL)
    #expect(try place.lastRun().identity.arguments["steps"] == 1_000_000)
    #expect(try place.lastRun().trials().isEmpty)
    let resumed = try place.nasrun(["resume", "early", "-q"], killedAfter: 0.5)
    #expect(resumed.status == -SIGKILL && resumed.errors.isEmpty)
  }

  /// The weight files of the last run by path.
  private func weights() throws -> [String: Data] {
    let folder = try place.lastRun().folder
    let paths = FileManager.default.subpaths(atPath: folder.path) ?? []
    return try Dictionary(
      uniqueKeysWithValues: paths.filter { $0.hasSuffix(".safetensors") }.map {
        ($0, try Data(contentsOf: folder.appending(path: $0)))
      })
  }
}

/// Three searches with objectives that cost some milliseconds: evolution; a strategy in a coroutine of its own that
/// keeps four trials in flight; one that swallows every error. Trials draw random numbers, and some fail.
private let searches = """
  local nas = require "nas"
  local space = nas.space {
    op = nas.oneof { "conv", "pool", "skip", "mb" },
    width = nas.int(1, 64),
    cells = nas.list(3, nas.oneof { "x", "y", "z" }),
  }

  local function evaluator(lane)
    return function(trial)
      print("paying " .. lane .. " " .. trial.arch:json())
      local x = trial.arch.width
      for _ = 1, 30000 do x = (x * 1103515245 + 12345) % 2147483648 end
      if x % 11 == 0 then error("no luck with " .. x) end
      for epoch = 1, 2 do trial:report(epoch, { accuracy = x % 50 * epoch, luck = math.random() }) end
      return { accuracy = x % 100 + math.random() + trial.search.rng:uniform(), loss = 1 / x }
    end
  end

  local function search(name, strategy)
    return nas.search {
      name = name, space = space, strategy = strategy, evaluate = evaluator(name), window = 4,
      objectives = { { "accuracy", "max" }, { "loss", "min" } },
      stop = nas.stop.any { trials = 30, minutes = 60 },
    }
  end

  local first = search("evolution", nas.strategies.regularized_evolution { population = 8, sample = 3 })

  local second = search("coroutine", function(search)
    local archs = coroutine.wrap(function()
      for _, arch in ipairs(first:top(3)) do coroutine.yield(arch) end
      while true do coroutine.yield(space:random()) end
    end)
    local work = coroutine.wrap(function()
      while true do
        for _ = 1, 4 do search:submit(archs()) end
        coroutine.yield(search:next())
      end
    end)
    while true do
      local trial = work()
      if trial and math.random() < 0.3 then search:submit(search.space:mutate(trial.arch)) end
    end
  end)

  search("stubborn", function(search)
    local here = second:best().arch
    while true do
      local ok, trial = pcall(function() return search:evaluate(search.space:mutate(here)) end)
      if ok and not trial.failed and search.rng:uniform() < 0.5 then here = trial.arch end
    end
  end)
  """

/// A search with small trainings, then a longer training of the best network outside of any search.
private let training = """
  local nas = require "nas"
  local data = nas.data.open("shapes", { valid = 50, limit = 200, test_limit = 50 })
  print("ready")
  local result = nas.search {
    space = nas.spaces.nasbench201 { channels = 4, cells = 1 },
    strategy = nas.strategies.regularized_evolution { population = 2, sample = 2 },
    evaluate = nas.evaluators.train { data = data, epochs = 2, batch = 8, augment = { flip = true, crop = 2 } },
    objectives = { { "accuracy", "max" }, { "params", "min" } },
    stop = { trials = 6 },
  }
  local network = result:best().arch:network(data)
  network:fit { data = data, split = "train+valid", epochs = 2, batch = 8 }
  network:fit { data = data, split = "train+valid", epochs = 2, batch = 8, lr = 0.01 }
  local scores = network:evaluate(data, { split = "test" })
  network:save()
  """

/// A search of phases: one asked and told, one that halves the field and goes on with the better trainings, under a limit
/// that one trial always reaches.
private let halving = """
  local nas = require "nas"
  local data = nas.data.open("shapes", { valid = 50, limit = 200, test_limit = 50 })
  print("ready")
  local train = nas.evaluators.train { data = data, batch = 8, schedule_epochs = 4 }
  local explore = {
    ask = function(self, search)
      return search.space:random(), { epochs = 1 }
    end,
    tell = function(self, trial, search)
      if self.best == nil or search:better(trial, self.best) then self.best = trial end
    end,
    finish = function(self, search) search:continue(self.best, { epochs = 2 }) end,
  }
  local function halve(search)
    local trials = search:map(search:initial(4), { epochs = 1 })
    for _, epochs in ipairs { 2, 4 } do
      local kept = search:rank(trials)
      trials = {}
      for place = 1, #kept // 2 do trials[place] = search:continue(kept[place], { epochs = epochs }) end
    end
    search:finish(function() search:evaluate(trials[1].arch, { epochs = 3 }) end)
  end
  nas.search {
    space = nas.spaces.nasbench201 { channels = 4, cells = 1 }, window = 2, stop = { trials = 40 },
    strategy = nas.strategies.sequence { { explore, stop = { trials = 3 } }, { halve } },
    evaluate = train, objectives = { { "accuracy", "max" }, { "params", "min" } },
    constraints = { params = { max = 1e5 } },
  }
  nas.search {
    space = nas.space { op = nas.oneof { "ends", "loops" } }, limits = { seconds = 0.1 },
    strategy = function(search) search:map(search.space:iterate(), { epochs = 1 }) end,
    evaluate = function(trial)
      print("at work")
      while trial.arch.op == "loops" do end
      return { accuracy = 1 }
    end,
  }
  """

/// A loop that records nothing.
private let early = """
  local nas = require "nas"
  local args = nas.args { steps = 1 }
  local w = nas.tensor({ 1 }, { requires_grad = true })
  for step = 1, args.steps do
    nas.nn.sum(w * w):backward()
    if step == 1 then print("ready") end
  end
  """

/// DARTS, first order, with dropout in the branches, so that random numbers count too.
private let relaxedTraining = """
  local nas = require "nas"
  local nn = nas.nn
  local data = nas.data.open("shapes", { valid = 60, limit = 200, test_limit = 50 })
  local space = nas.space {
    ops = nas.list(2, nas.oneof { "conv", "pool", "skip" }),
    build = function(arch, x, task)
      x = nn.conv2d(x, 4, { kernel = 3, stride = 2, name = "stem" })
      for i, op in ipairs(arch.ops) do
        x = nn.scope("layer" .. i, function()
          return nn.choice(op, {
            conv = function() return nn.batch_norm(nn.conv2d(nn.relu(x), 4, { kernel = 3 })) end,
            pool = function() return nn.avg_pool(x, { kernel = 3, stride = 1, padding = 1 }) end,
            skip = function() return nn.dropout(x, { rate = 0.2 }) end,
          })
        end)
      end
      return nn.linear(nn.global_avg_pool(x), task.classes)
    end,
  }
  local net = nas.relax(space, { data = data })
  local weights = nas.optim.sgd(net:parameters(), { lr = 0.1, momentum = 0.9 })
  local alphas = nas.optim.adam(net:alphas(), { lr = 0.03 })
  print("ready")
  for epoch = 1, 6 do
    local result = nas.checkpoint {
      name = "epoch " .. epoch,
      state = { net, weights, alphas },
      run = function()
        print("paying " .. epoch)
        weights.lr = 0.1 / epoch
        local validation, loss = data:batches { split = "valid", size = 20, first_epoch = epoch }
        for batch in data:batches { size = 20, first_epoch = epoch } do
          local held_out = validation()
          if not held_out then break end
          alphas:zero_grad()
          net:loss(held_out):backward()
          alphas:step()
          weights:zero_grad()
          loss = net:loss(batch)
          loss:backward()
          weights:step()
        end
        return { loss = loss:item(), luck = math.random() }
      end,
    }
    math.random()
  end
  local arch = net:derive()
  nas.optim.adam(net:parameters(), {})
  local copy = nas.model(function() return nn.parameter("alpha", { 3 }) end)
  copy()
  copy:parameters()[1]:set(net.alpha["ops[1]"]:totable())
  copy:save("alpha")
  print(arch, weights.lr, math.random(), nn.sum(net.alpha["ops[2]"]):item())
  """

/// A model of the script's own with Adam; inputs are drawn within the steps and between them.
private let modelTraining = """
  local nas = require "nas"
  local nn = nas.nn
  local stream = nas.stream "inputs"
  local model = nas.model(function(x)
    return nn.linear(nn.dropout(nn.relu(nn.linear(x, 16)), { rate = 0.1 }), 1)
  end)
  local function draw()
    local x, y = {}, {}
    for row = 1, 32 do
      x[row] = { stream:normal(), stream:normal() }
      y[row] = { x[row][1] * x[row][2] > 0 and 1 or 0 }
    end
    return nas.tensor(x), nas.tensor(y)
  end
  nas.no_grad(function() model(draw()) end)
  local optimiser = nas.optim.adam(model:parameters(), { lr = 0.01 })
  local average = nas.zeros { 1 }
  print("ready")
  for part = 1, 6 do
    local loss = nas.checkpoint {
      name = "part " .. part,
      state = { model = model, optimiser = optimiser, average = average },
      run = function()
        print("paying " .. part)
        local last
        for _ = 1, 30 do
          local x, y = draw()
          optimiser:zero_grad()
          local loss = nn.binary_cross_entropy(model(x), y)
          loss:backward()
          optimiser:step()
          last = loss:item()
          average:set { 0.9 * average:item() + 0.1 * last }
        end
        return last
      end,
    }
    -- Tensors that are no part of the state may be used meanwhile.
    stream:uniform()
    nn.sum(nas.tensor { part, loss }):item()
  end
  model:save("trained")
  print(average:item(), stream:uniform())
  """

/// Shared weights trained step by step, by several paths at once, and by a fit; then searched, and one network saved.
private let sharedTraining = """
  local nas = require "nas"
  local nn = nas.nn
  local data = nas.data.open("shapes", { valid = 50, limit = 200, test_limit = 50 })
  local space = nas.space {
    width = nas.oneof { 3, 6 },
    ops = nas.list(2, nas.oneof { "conv", "pool", "skip" }),
    build = function(arch, x, task)
      x = nn.conv2d(x, arch.width, { kernel = 3, stride = 2, name = "stem" })
      for i, op in ipairs(arch.ops) do
        x = nn.scope("layer" .. i, function()
          return nn.choice(op, {
            conv = function() return nn.batch_norm(nn.conv2d(nn.relu(x), arch.width, { kernel = 3 })) end,
            pool = function() return nn.avg_pool(x, { kernel = 3, stride = 1, padding = 1 }) end,
            skip = function() return x end,
          })
        end)
      end
      return nn.linear(nn.global_avg_pool(x), task.classes)
    end,
  }
  print("ready")
  local weights = nas.weights(space, { data = data, ema = 0.9 })
  local teacher = space:random():network(data)
  for batch in data:batches { size = 16 } do
    weights:step(space:random(), batch, { lr = 0.05, teacher = teacher, label_weight = 0.5 })
  end
  teacher:fit { data = data, epochs = 1, batch = 16 }
  weights:fit { epochs = 2, batch = 16, lr = 0.05 }
  for batch in data:batches { size = 16, first_epoch = 2 } do
    weights:accumulate(space:random(), batch)
    weights:accumulate(space:random(), batch)
    weights:apply { lr = 0.02, count = 2 }
  end
  local result = nas.search {
    space = space, strategy = nas.strategies.random {}, stop = { trials = 6 },
    evaluate = nas.evaluator {
      data = data,
      run = function(trial) return weights:evaluate(trial.arch, { batch = 25, recalibrate = 2, ema = true }) end,
    },
  }
  weights:network(result:best().arch, { ema = true }):save()
  """

/// A search in a table, some of whose architectures are missing.
private let lookups = """
  local nas = require "nas"
  print("begins")
  local space = nas.space { a = nas.int(1, 100), b = nas.int(1, 100) }
  local rows = {}
  for a = 1, 100 do
    for b = 1, 100 do
      if (a + b) % 9 > 0 then rows[("%d %d"):format(a, b)] = { accuracy = a * b % 97, seconds = a + 1 } end
    end
  end
  local result = nas.search {
    space = space, strategy = nas.strategies.regularized_evolution { population = 20, sample = 5 },
    evaluate = nas.evaluators.table {
      rows = rows, cost = "seconds", key = function(arch) return ("%d %d"):format(arch.a, arch.b) end,
    },
    stop = { trials = 600 },
  }
  local failed, cost = 0, 0
  for _, trial in ipairs(result.trials) do
    failed, cost = failed + (trial.failed and 1 or 0), cost + trial.seconds
  end
  print(failed, cost, result:best())
  """
