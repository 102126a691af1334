import Canonical
import Foundation
import RunStore
import SearchCore
import Testing

/// `nasrun show RUN --trial N`: error, metrics, curves, decisions and the network.
@Suite struct ShowTrialTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// A network with a skip connection in a scope, trained for two epochs on twelve images of 2×3 pixels.
  private func trainedRun(
    evaluator: String = "nas.evaluators.train { data = data, epochs = 2, batch = 2 }", objective: String = "accuracy"
  ) throws {
    try place.writeImages("data")
    try place.write(
      "r.lua",
      """
      local nas = require "nas"
      local nn = nas.nn
      local space = nas.space {
        c = nas.oneof { 4 }, blocks = nas.list(2, { op = nas.oneof { "a" } }),
        build = function(arch, x, task)
          x = nn.conv2d(x, arch.c, { kernel = 3 })
          local y = nn.scope("block", function() return nn.relu(nn.batch_norm(x)) end)
          return nn.linear(nn.global_avg_pool(nn.add(x, y)), task.classes)
        end,
      }
      local data = nas.data.open("data", { valid = 3 })
      nas.search {
        space = space, strategy = nas.strategies.listed { space:random() }, objectives = { { "\(objective)", "max" } },
        evaluate = \(evaluator),
      }
      """)
    let outcome = try place.nasrun("r.lua", "-q")
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  /// By hand: a 3×3 convolution of 4 channels over 2×3×1 has 36 weights (no bias) and 6 · 36 = 216 MACs; batch norm has
  /// 2 · 4 numbers; a linear layer of 4 × classes with a bias.
  @Test func theNetworkIsDrawn() throws {
    try trainedRun()
    let text = try place.nasrun("show", "last", "--best").output
    let start = try #require(text.range(of: "network\n  NODE")?.lowerBound)
    let lines = text[start...].split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(
      lines[1...4] == [
        "NODE OP OUTPUT PARAMETERS MACS TAKES", "input 2×3×1", "conv2d1 conv2d channels 4, kernel 3×3 2×3×4 36 216",
        "┌ block 8",
      ])
    #expect(
      lines[5...7] == [
        "│ batch_norm1 batch_norm 2×3×4 8", "│ relu1 relu 2×3×4", "add1 add 2×3×4 ← conv2d1, block/relu1",
      ])
    #expect(text.contains("decisions\n  blocks[1].op = \"a\"\n  blocks[2].op = \"a\"\n  c = 4\n"))
    #expect(text.contains("learning curves\n") && text.contains("train_loss"))
    let json = try JSONValue(
      parsing: place.nasrun("show", "last", "--trial", "1", "--json").output.utf8, source: "show")
    #expect(json["schema"] == 1 && json["network"]?["graph"]?["format"] == "nasrun.graph")
  }

  /// A metric's name that would be markup, or a statement of Graphviz or gnuplot, is text in the figures.
  @Test func figuresEscapeNames() throws {
    try trainedRun(
      evaluator: """
        nas.evaluator { data = data, run = function(trial)
          local name = '<script>alert(1)<b>\"];evil[label="\\\\N`touch pwned`'
          trial:network():fit { data = data, epochs = 1, batch = 2 }
          trial:report(1, { [name] = 1 })
          trial:report(2, { [name] = 2, nan = 0/0 })
          return { [name] = 3, accuracy = 1 }
        end }
        """, objective: "<script>alert(1)<b>\\\"];evil[label=\\\"\\\\N`touch pwned`")
    let outcome = try place.nasrun("show", "last", "--best", "--svg", "n.svg", "--curves", "c.svg")
    try #require(outcome.status == 0, "\(outcome.errors)")
    for name in ["n.svg", "c.svg"] {
      let svg = try String(contentsOf: place.folder.appending(path: name), encoding: .utf8)
      #expect(!svg.contains("<script") && svg.contains("&lt;script") && svg.contains("</svg>"))
      #expect(!svg.contains(">evil<") && svg.contains("evil[label="))
    }
    #expect(!FileManager.default.fileExists(atPath: place.folder.appending(path: "pwned").path))
    #expect(try place.nasrun("show", "last", "--best", "--svg", "n.png").errors.contains("a file that ends in .svg"))
    #expect(try place.nasrun("show", "last", "--best", "--svg", "n.dot").status == 0)
    let dot = try String(contentsOf: place.folder.appending(path: "n.dot"), encoding: .utf8)
    #expect(dot.hasPrefix("digraph network {"))
  }

  @Test func missingProgramsAreNamed() throws {
    try trainedRun()
    let dot = try place.nasrun(["show", "last", "--best", "--svg", "n.svg"], environment: ["PATH": "/nowhere"])
    #expect(dot.status == 64)
    #expect(
      dot.errors == """
        nasrun: Graphviz isn't installed, which draws networks: got no program 'dot'. Install it (apt install graphviz); \
        until then n.dot has the drawing as DOT text.

        """)
    let text = try String(contentsOf: place.folder.appending(path: "n.dot"), encoding: .utf8)
    #expect(text.hasPrefix("digraph network {"))
    let curves = try place.nasrun(["show", "last", "--best", "--curves", "c.svg"], environment: ["PATH": "/nowhere"])
    #expect(curves.errors.contains("until then c.txt has the numbers."))
    let numbers = try String(contentsOf: place.folder.appending(path: "c.txt"), encoding: .utf8)
    #expect(numbers.contains("epoch \"train_loss\"\n1 "))
  }

  @Test func aFailedTrialShowsItsLine() throws {
    let run = try Run.create(
      in: place.runs, name: "f", recipe: RecipeSource(file: "hill.lua", folder: "/", text: "one\n  two()\nthree\n"),
      seed: 1)
    try run.keep(module: "mine.part", text: "alpha\nbeta\n")
    try run.record(SearchRecord(name: "s", objectives: [Objective("accuracy", .max)]))
    for (number, place) in ["hill.lua:2", "mine/part.lua:2", "gone.lua:7"].enumerated() {
      try run.record([
        TrialRecord(
          search: "s", number: number + 1, architecture: "a1-\(number)", status: .failed, failure: "no such thing",
          failedAt: place)
      ])
    }
    try run.finish(.finished)
    #expect(
      try place.nasrun("show", "f", "--trial", "1").output.contains("failed: no such thing\n  at hill.lua:2:  two()\n"))
    #expect(try place.nasrun("show", "f", "--trial", "2").output.contains("  at mine/part.lua:2:  beta\n"))
    #expect(try place.nasrun("show", "f", "--trial", "3").output.contains("  at gone.lua:7\n"))
    let best = try place.nasrun("show", "f", "--best")
    #expect(best.status == 64 && best.errors.hasPrefix("nasrun: the search s has no finished trial: got 3 failed."))
  }

  @Test func whatIsntThereIsExplained() throws {
    try place.sampleRun("first")
    let drawn = try place.nasrun("show", "first", "--trial", "3", "--svg", "n.svg")
    #expect(drawn.status == 64 && drawn.errors.contains("climb: there is no network of trial 3 to draw"))
    #expect(try place.nasrun("show", "first", "--best", "--trial", "3").errors.contains("exclude each other"))
    #expect(try place.nasrun("show", "first", "--arch", "0123").errors.contains("names 4 architectures"))
    #expect(try place.nasrun("show", "first", "--arch", "0123456789abcdef3").output.hasPrefix("trial 3 of climb in "))
  }
}
