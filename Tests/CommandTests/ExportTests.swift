import Canonical
import Foundation
import RunStore
import Testing

/// `nasrun export`: what it writes runs by itself and is the network that was trained.
@Suite struct ExportTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    try place.writeImages("data")
    try place.write("r.lua", Self.recipe)
    let outcome = try place.nasrun("r.lua", "-q")
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  /// Four networks of growing width; the first is best by both objectives, so only its weights are kept.
  private static let recipe = """
    local nas = require "nas"
    local nn = nas.nn
    local space = nas.space { c = nas.oneof { 2, 3, 4, 5 }, build = function(arch, x, task)
      x = nn.scope("stem", function() return nn.relu(nn.batch_norm(nn.conv2d(x, arch.c, { kernel = 3 }))) end)
      return nn.linear(nn.global_avg_pool(x), task.classes)
    end }
    local data = nas.data.open("data", { valid = 3 })
    nas.search {
      space = space, strategy = nas.strategies.listed { space:make { c = 2 }, space:make { c = 3 } },
      evaluate = nas.evaluators.train { data = data, epochs = 2, batch = 2 },
      objectives = { { "params", "min" } },
    }
    """

  private func file(_ name: String) throws -> Data { try Data(contentsOf: place.folder.appending(path: name)) }

  private func json(_ name: String) throws -> JSONValue { try JSONValue(parsing: file(name), source: name) }

  @Test func theExportedNetworkIsTheTrainedOne() throws {
    let outcome = try place.nasrun("export", "last", "--to", "best")
    #expect(outcome.status == 0 && outcome.output.hasPrefix("best: trial 1 of search1, params "), "\(outcome.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: place.folder.appending(path: "best").path).sorted()
    #expect(names == ["architecture.json", "graph.json", "metrics.json", "recipe.lua", "weights.safetensors"])
    let run = try place.lastRun(), trial = try run.trials()[0]
    let kept = try #require(run.keptModel(of: trial.architecture, trialKey: run.key(of: trial)))
    #expect(try file("best/weights.safetensors") == Data(contentsOf: kept.weights))
    #expect(try json("best/metrics.json")["trial"]?["metrics"]?["loss"]?.double == trial.metric("loss"))
    // Far from the run, which is gone, and from the recipe that built the network.
    try FileManager.default.removeItem(at: place.runs)
    try FileManager.default.removeItem(at: place.folder.appending(path: "r.lua"))
    try FileManager.default.createDirectory(at: place.folder.appending(path: "far"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      at: place.folder.appending(path: "best"), to: place.folder.appending(path: "far/best"))
    let score = try place.nasrun("far/best/recipe.lua", "-q", "--set", "data=data", "epochs=0")
    #expect(score.output.contains("as recorded, bit for bit\n") && score.status == 0, "\(score.errors)")
    let loss = try #require(trial.metric("loss"))
    #expect(score.output.contains(String(format: "loss %.6g", loss)))
    let on = try place.nasrun("far/best/recipe.lua", "-q", "--set", "data=data", "epochs=1")
    #expect(on.output.contains("after training on") && on.status == 0, "\(on.errors)")
    // What it saved can be exported, loaded and trained on in turn: the same id, other weights.
    let again = try #require(try place.lastRun().keptModels().first)
    #expect(again.architecture == trial.architecture && again.trialKey == nil)
    #expect(again.description["input"] != nil && again.description["training"]?.array?.count == 1)
  }

  @Test func theNetworkIsWrittenInONNX() throws {
    let outcome = try place.nasrun("export", "last", "--best", "--onnx", "--to", "best")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("best/model.onnx"))
    let names = try FileManager.default.contentsOfDirectory(atPath: place.folder.appending(path: "best").path).sorted()
    #expect(
      names == ["architecture.json", "graph.json", "metrics.json", "model.onnx", "recipe.lua", "weights.safetensors"])
    let text = String(decoding: try file("best/model.onnx"), as: UTF8.self)
    for word in ["nasrun", "Conv", "BatchNormalization", "stem/conv2d1/weight", "\"mean\":["] {
      #expect(text.contains(word), "\(word)")
    }
    let folded = try place.nasrun("export", "last", "--best", "--onnx", "--fold-batch-norm", "--to", "folded")
    #expect(folded.status == 0, "\(folded.errors)")
    #expect(!String(decoding: try file("folded/model.onnx"), as: UTF8.self).contains("BatchNormalization"))
    let refused = try place.nasrun("export", "last", "--fold-batch-norm")
    #expect(refused.errors == "nasrun: --fold-batch-norm is about model.onnx: expected --onnx beside it\n")
    #expect(refused.status == 64)
  }

  /// An evaluator with a network of its own, whose parameters are counted on another one.
  private static func ownNetwork(_ kept: String) -> String {
    """
    local nas = require "nas"
    local nn = nas.nn
    local space = nas.space { c = nas.oneof { 2, 3 }, build = function(arch, x, task)
      return nn.linear(nn.global_avg_pool(nn.relu(nn.conv2d(x, arch.c, { kernel = 3 }))), task.classes)
    end }
    local data = nas.data.open("data", { valid = 3 })
    nas.search {
      space = space, strategy = nas.strategies.listed { space:make { c = 2 } },
      evaluate = nas.evaluator { data = data, run = function(trial)
        local network = trial.arch:network(data)
        network:fit { data = data, epochs = 2, batch = 2 }
        \(kept)
        return { loss = network:evaluate(data).loss }
      end },
      objectives = { { "loss", "min" }, { "params", "min" } },
    }
    """
  }

  @Test func whatWasOnlyMeasuredIsNotExported() throws {
    try place.write("own.lua", Self.ownNetwork(""))
    try #require(try place.nasrun("own.lua", "-q").status == 0)
    #expect(try place.nasrun("export", "last").status == 64)
    let retrained = try place.nasrun("export", "last", "--retrain")
    #expect(
      retrained.errors.hasSuffix(
        "the evaluator of trial 1 makes no network: expected an evaluator that trains trial:network(), or names its "
          + "network by trial:keep(network)\n"), "\(retrained.errors)")
  }

  @Test func whatTheEvaluatorKeepsIsExported() throws {
    try place.write("own.lua", Self.ownNetwork("trial:keep(network)"))
    try #require(try place.nasrun("own.lua", "-q").status == 0)
    let run = try place.lastRun().identity.id
    for options in [["--to", "kept"], ["--to", "again", "--retrain"]] {
      let outcome = try place.nasrun(["export", run] + options)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let score = try place.nasrun("\(options[1])/recipe.lua", "-q", "--set", "data=data", "epochs=0")
      #expect(score.output.contains("as recorded, bit for bit\n"), "\(score.output) \(score.errors)")
    }
  }

  /// The network that was kept is the one whose size was asked for; that of the result is another.
  @Test func untrainedWeightsAreToldOf() throws {
    let counting = "assert(trial:network().params > 0)",
      told = """
        Its weights are the first, random ones: nothing trained or loaded them. An evaluator that scores another network \
        than trial:network() names it by trial:keep(network).

        """
    for (kept, isUntrained) in [(counting, true), (counting + " trial:keep(network)", false)] {
      try place.write("own.lua", Self.ownNetwork(kept))
      try #require(try place.nasrun("own.lua", "-q").status == 0)
      for options in [["--to", "kept", "--force"], ["--to", "kept", "--force", "--retrain"]] {
        let outcome = try place.nasrun(["export", "last"] + options)
        #expect(outcome.status == 0 && outcome.output.contains(told) == isUntrained, "\(outcome.output)")
        let recipe = String(decoding: try file("kept/recipe.lua"), as: UTF8.self)
        #expect(recipe.contains("\n-- Its weights are the first, random ones: nothing trained") == isUntrained)
        #expect(try json("kept/architecture.json")["has_first_weights"]?.bool == isUntrained)
      }
    }
  }

  /// They weren't trained alone: the data are those that the shared weights are for.
  @Test func aNetworkOfSharedWeightsNamesItsData() throws {
    try place.write(
      "shared.lua",
      """
      local nas = require "nas"
      local nn = nas.nn
      local space = nas.space { c = nas.oneof { 2, 3 }, build = function(arch, x, task)
        return nn.linear(nn.global_avg_pool(nn.relu(nn.conv2d(x, arch.c, { kernel = 3 }))), task.classes)
      end }
      local data = nas.data.open("shapes", { valid = 0.2, limit = 100 })
      local weights = nas.weights(space, { data = data })
      weights:fit { epochs = 1, batch = 20 }
      nas.search {
        space = space, strategy = nas.strategies.listed { space:make { c = 2 } },
        evaluate = nas.evaluator { data = data, run = function(trial)
          local network = weights:network(trial.arch)
          trial:keep(network)
          return { loss = network:evaluate(data).loss }
        end },
        objectives = { { "loss", "min" } },
      }
      """)
    try #require(try place.nasrun("shared.lua", "-q").status == 0)
    let outcome = try place.nasrun("export", "last", "--to", "shared")
    #expect(outcome.status == 0 && !outcome.output.contains("first, random ones"), "\(outcome.errors)")
    let score = try place.nasrun("shared/recipe.lua", "-q", "--set", "epochs=1")
    #expect(score.output.contains("as recorded, bit for bit\n") && score.status == 0, "\(score.output) \(score.errors)")
    #expect(score.output.contains("after training on"))
  }

  @Test func changedWeightsAreNotExported() throws {
    let run = try place.lastRun(), trial = try run.trials()[0]
    let kept = try #require(run.keptModel(of: trial.architecture, trialKey: run.key(of: trial)))
    var bytes = try Data(contentsOf: kept.weights)
    bytes[bytes.count - 2] ^= 1
    try bytes.write(to: kept.weights)
    let outcome = try place.nasrun("export", "last")
    #expect(outcome.status == 66)
    #expect(outcome.errors.contains("the kept weights were changed after they were written: expected the digest "))
  }

  @Test func nothingIsOverwrittenUnasked() throws {
    try place.write("best/precious.txt", "42")
    let refused = try place.nasrun("export", "last", "--to", "best")
    #expect(refused.status == 64)
    #expect(
      refused.errors == """
        nasrun: best: there is already something: expected a new or empty folder. Name another with --to DIR, or write \
        over it with --force.

        """)
    #expect(try place.nasrun("export", "last", "--to", "best", "--force").status == 0)
    #expect(try file("best/precious.txt") == Data("42".utf8) && !file("best/recipe.lua").isEmpty)
  }

  @Test func whatWasNotKeptIsNamed() throws {
    let outcome = try place.nasrun("export", "last", "--trial", "2")
    #expect(outcome.status == 64)
    #expect(
      outcome.errors == """
        nasrun: search1: the network of trial 2 was not kept: expected one that was on the Pareto front when it was \
        trained: trial 1. Name one of them with --trial, or train this one again with --retrain.

        """)
    #expect(
      try place.nasrun("export", "last", "--trial", "9").errors
        == "nasrun: the search search1 has no trial 9: expected a number from 1 to 2. --search names another search.\n")
    #expect(try place.nasrun("export", "last", "--arch", "zz").errors.contains("begins with 'zz'"))
    #expect(try place.nasrun("export", "last", "--search", "serach1").errors.contains("Did you mean 'search1'?"))
  }

  /// What is trained again has the bits of the first time, and the run stays as it was.
  @Test func aTrialIsTrainedAgain() throws {
    let run = try place.lastRun(), exact = try run.exactJournal(), trial = try run.trials()[1]
    let outcome = try place.nasrun("export", "last", "--trial", "2", "--retrain", "--to", "second")
    try #require(outcome.status == 0, "\(outcome.errors)")
    #expect(try json("second/metrics.json")["trial"]?["metrics"]?["loss"]?.double == trial.metric("loss"))
    let score = try place.nasrun("second/recipe.lua", "-q", "--set", "data=data", "epochs=0")
    #expect(score.output.contains("as recorded, bit for bit\n"), "\(score.errors)")
    let left = try FileManager.default.contentsOfDirectory(atPath: place.runs.path).filter { $0.hasPrefix(".") }
    #expect(left.isEmpty)
    let after = try Run.open(run.folder)
    #expect(try after.exactJournal() == exact && after.status == .finished && after.keptModels().count == 1)
    // Other images: the recipe asks for what isn't in the record.
    try FileManager.default.removeItem(at: place.folder.appending(path: "data/train-labels-idx1-ubyte"))
    let changed = try place.nasrun("export", "r", "--trial", "2", "--retrain", "--to", "third")
    #expect(changed.status == 66, "\(changed)")
    #expect(!FileManager.default.fileExists(atPath: place.folder.appending(path: "third").path))
  }

  /// What a run from elsewhere says of its training doesn't become code of the recipe, nor a link a file.
  @Test func aStrangersRunWritesNoCode() throws {
    let run = try place.lastRun()
    let model = try #require(run.keptModels().first), file = model.folder.appending(path: "architecture.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    let evil = #"x = 1 } print("pwned") local t = {"#
    let changed = text.replacing(#""clip": "#, with: "\(JSONValue.string(evil).text()): 1, \"clip\": ")
    try #require(changed != text)
    let hostile = changed.replacing(/"source": "[^"]*"/, with: #""source": "\")print('pwned')--""#)
    try Data(hostile.utf8).write(to: file)
    try #require(try place.nasrun("export", "last", "--to", "evil").status == 0)
    let outcome = try place.nasrun("evil/recipe.lua", "-q", "--set", "data=data", "epochs=1")
    #expect(outcome.status == 65 && outcome.errors.contains("unknown option 'x = 1 } print"), "\(outcome)")
    #expect(!outcome.output.contains("pwned"))
    try FileManager.default.removeItem(at: model.weights)
    try FileManager.default.createSymbolicLink(atPath: model.weights.path, withDestinationPath: "/etc/passwd")
    let linked = try place.nasrun("export", "r", "--to", "linked")
    #expect(linked.status == 66, "\(linked)")
    #expect(!FileManager.default.fileExists(atPath: place.folder.appending(path: "linked/weights.safetensors").path))
  }

  /// A trial that goes on from another one comes out the same when it is trained again.
  @Test func aContinuedTrialIsTrainedAgain() throws {
    try place.write(
      "c.lua",
      Self.recipe.replacing(
        "nas.strategies.listed { space:make { c = 2 }, space:make { c = 3 } }",
        with: """
          function(search)
              search:evaluate(space:make { c = 2 }, { epochs = 1 })
              search:continue(search:evaluate(space:make { c = 3 }, { epochs = 1 }), { epochs = 3 })
            end
          """))
    let outcome = try place.nasrun("c.lua", "-q")
    try #require(outcome.status == 0, "\(outcome.errors)")
    let export = try place.nasrun("export", "c", "--trial", "3", "--retrain", "--to", "on")
    try #require(export.status == 0, "\(export.errors)")
    let score = try place.nasrun("on/recipe.lua", "-q", "--set", "data=data", "epochs=0")
    #expect(score.output.contains("as recorded, bit for bit\n"), "\(score)")
    #expect(try json("on/metrics.json")["trial"]?["number"] == 3)
  }

  /// The network of a trial that wasn't kept is drawn when the recipe builds it again; by hand: c = 3 channels of a
  /// 3×3 kernel over one channel are 27 weights, and 162 MACs at 2×3 places.
  @Test func aNetworkIsBuiltAgain() throws {
    #expect(try !place.nasrun("show", "last", "--trial", "2").output.contains("┌ stem"))
    let outcome = try place.nasrun("show", "last", "--trial", "2", "--rebuild", "--svg", "two.svg")
    try #require(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.contains("network not kept; built again"))
    #expect(lines.contains("│ conv2d1 conv2d channels 3, kernel 3×3 2×3×3 27 162"))
    #expect(FileManager.default.fileExists(atPath: place.folder.appending(path: "two.svg").path))
    let refused = try place.nasrun("show", "last", "--trial", "2", "--svg", "three.svg")
    #expect(refused.status == 64 && refused.errors.contains("--rebuild has the recipe build this one again."))
  }

  @Test func dataOfAnotherShapeAreRefused() throws {
    _ = try place.nasrun("export", "last", "--to", "best")
    let outcome = try place.nasrun("best/recipe.lua", "-q", "--set", "data=shapes")
    #expect(outcome.status == 65 && outcome.errors.contains("nas.load_network: the data don't fit the network"))
  }
}
