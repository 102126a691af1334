import Canonical
import Foundation
import RunStore
import SearchCore
import Testing

/// `--reuse`: a child run takes what its text still asks for, and computes the rest.
@Suite struct ReuseTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// A recipe that evaluates some architectures in order; the evaluator's body can be replaced.
  private func recipe(_ ops: [String], body: String = "return { accuracy = trial.arch.op:byte() + math.random() }")
    -> String
  {
    let archs = ops.map { "space:make { op = \"\($0)\" }" }.joined(separator: ", ")
    return """
      local nas = require "nas"
      local space = nas.space { op = nas.oneof { "a", "b", "c", "d", "e" } }
      local function evaluate(trial)
        print("paying " .. trial.arch.op)
        \(body)
      end
      nas.search { space = space, strategy = nas.strategies.listed { \(archs) }, evaluate = evaluate }
      """
  }

  private func run(_ text: String, _ arguments: String...) throws -> (paid: String, run: Run) {
    try place.write("r.lua", text)
    let outcome = try place.nasrun(["r.lua", "-q"] + arguments)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let paid = outcome.output.split(separator: "\n").map { String($0.dropFirst("paying ".count)) }
    return (paid.joined(separator: " "), try place.lastRun())
  }

  /// The accuracy of each trial by its decision.
  private func accuracies(_ run: Run) throws -> [String: Double] {
    Dictionary(
      uniqueKeysWithValues: try run.trials().map { ($0.decisions["op"]?.string ?? "", $0.metrics[0].value) })
  }

  @Test func anInsertedTrialIsTheOnlyOneThatIsComputed() throws {
    let parent = try run(recipe(["a", "b", "d"]))
    let child = try run(recipe(["a", "c", "b", "d"]), "--reuse", "last")
    #expect(parent.paid == "a b d" && child.paid == "c")
    #expect(try child.run.reusedEffects() == 3)
    let old = try accuracies(parent.run), new = try accuracies(child.run)
    #expect(old.allSatisfy { new[$0] == $1 } && new.count == 4)
    // The child is what a fresh run of its text is.
    let fresh = try run(recipe(["a", "c", "b", "d"]))
    #expect(try fresh.paid == "a c b d" && fresh.run.exactJournal() == child.run.exactJournal())
  }

  @Test func linesAndCommentsDontCount() throws {
    _ = try run(recipe(["a", "b"]))
    let child = try run("-- a comment\n\n" + recipe(["a", "b"]), "--reuse", "last")
    #expect(child.paid.isEmpty)
  }

  @Test func aChangedEvaluatorTakesNothing() throws {
    _ = try run(recipe(["a", "b"]))
    let child = try run(recipe(["a", "b"], body: "return { accuracy = trial.arch.op:byte() }"), "--reuse", "last")
    #expect(try child.paid == "a b" && child.run.reusedEffects() == 0)
  }

  @Test func anotherSeedTakesNothing() throws {
    _ = try run(recipe(["a"]))
    let child = try run(recipe(["a"]), "--reuse", "last", "--seed", "2")
    #expect(child.paid == "a")
  }

  /// A value that the evaluator closes over is a part of it; one that it names in `depends` isn't.
  @Test func whatAnEvaluatorClosesOverCounts() throws {
    func text(_ value: Int, _ depends: String) -> String {
      """
      local nas = require "nas"
      local space = nas.space { op = nas.oneof { "a" } }
      local rate = \(value)
      nas.search {
        space = space, strategy = nas.strategies.listed { space:random() },
        evaluate = nas.evaluator { depends = { \(depends) }, run = function(trial)
          print("paying " .. rate)
          return { accuracy = 1 }
        end },
      }
      """
    }
    _ = try run(text(1, ""))
    #expect(try run(text(2, ""), "--reuse", "last").paid == "2")
    _ = try run(text(1, "'rate'"))
    #expect(try run(text(2, "'rate'"), "--reuse", "last").paid == "")
  }

  /// The weights of a network that was fitted outside a search come with the result, and a trial's model too.
  @Test func weightsAreTakenOver() throws {
    try place.writeImages("data")
    func text(_ end: String) -> String {
      """
      local nas = require "nas"
      local nn = nas.nn
      local space = nas.space { c = nas.oneof { 2, 3 }, build = function(arch, x, task)
        return nn.linear(nn.global_avg_pool(nn.conv2d(x, arch.c, { kernel = 3 })), task.classes)
      end }
      local data = nas.data.open("data", { valid = 3 })
      nas.search {
        space = space, strategy = nas.strategies.listed { space:make { c = 2 } },
        evaluate = nas.evaluators.train { data = data, epochs = 1, batch = 2 },
      }
      local network = space:make { c = 3 }:network(data)
      network:fit { data = data, epochs = 1, batch = 2 }
      \(end)
      """
    }
    let parent = try run(text("")).run
    let child = try run(text("network:evaluate(data) network:save()"), "--reuse", "last").run
    #expect(try child.reusedEffects() == 2)
    for folder in ["models", "weights"] {
      let names = try FileManager.default.contentsOfDirectory(atPath: parent.folder.appending(path: folder).path)
      #expect(names.count == 1)
      let path = folder + "/" + names[0] + (folder == "models" ? "/weights.safetensors" : "")
      let old = try Data(contentsOf: parent.folder.appending(path: path))
      #expect(try Data(contentsOf: child.folder.appending(path: path)) == old)
    }
  }

  /// An evaluator that builds with a space of its own depends on that space's build function.
  @Test func theBuildOfACapturedSpaceCounts() throws {
    try place.writeImages("data")
    func text(_ width: Int) -> String {
      """
      local nas = require "nas"
      local nn = nas.nn
      local data = nas.data.open("data", { valid = 3 })
      local inner = nas.space { c = nas.oneof { 2, 3 }, build = function(arch, x, task)
        return nn.linear(nn.global_avg_pool(nn.conv2d(x, \(width), { kernel = 3 })), task.classes)
      end }
      local space = nas.space { c = nas.oneof { 2, 3 } }
      nas.search {
        space = space, strategy = nas.strategies.listed { space:make { c = 2 } },
        evaluate = function(trial)
          print("paying \(width)")
          return { accuracy = inner:make { c = trial.arch.c }:network(data).params }
        end,
      }
      """
    }
    _ = try run(text(4))
    #expect(try run(text(4), "--reuse", "last").paid == "")
    #expect(try run(text(5), "--reuse", "last").paid == "5")
  }

  /// Another text of a module that the evaluator uses is another evaluator.
  @Test func modulesOfTheRecipeCount() throws {
    let text = """
      local nas = require "nas"
      local scores = require "scores"
      local space = nas.space { op = nas.oneof { "a" } }
      nas.search { space = space, strategy = nas.strategies.listed { space:random() }, evaluate = scores.evaluate }
      """
    func module(_ value: Int) throws {
      try place.write(
        "scores.lua",
        """
        local base = \(value)
        local function score() return base end
        return { evaluate = function(trial) print("paying " .. base) return { accuracy = score() } end }
        """)
    }
    try module(1)
    _ = try run(text)
    #expect(try run(text, "--reuse", "last").paid == "")
    try module(2)
    #expect(try run(text, "--reuse", "last").paid == "2")
  }
}
