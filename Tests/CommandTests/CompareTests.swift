import Canonical
import Foundation
import RunStore
import SearchCore
import Testing
import nasrun

/// `nasrun compare`: groups over seeds, what differs, and the courses.
@Suite struct CompareTests {
  let place: Workplace

  init() throws { place = try Workplace() }

  /// A run of one search with these accuracies by trial; NaN is a failed trial. Each trial takes 2 seconds.
  private func run(_ name: String, seed: UInt64, epochs: Int, _ accuracies: [Double], text: String = "return 1\n")
    throws
  {
    let run = try Run.create(
      in: place.runs, name: name, recipe: RecipeSource(file: "hill.lua", folder: "/recipes", text: text),
      arguments: ["epochs": .int(epochs), "data": "shapes"], seed: seed, environment: ["nasrun": "1.0"])
    try run.record(SearchRecord(name: "climb", objectives: [Objective("accuracy", .max)]))
    for (index, value) in accuracies.enumerated() {
      var trial = TrialRecord(
        search: "climb", number: index + 1, architecture: "a1-\(name)\(index)", decisions: ["op": "conv3"],
        started: Double(2 * index), finished: Double(2 * index + 2))
      if value.isNaN { trial.status = .failed } else { trial.metrics = [MetricRecord("accuracy", value)] }
      try run.record([trial])
    }
    run.activeSeconds = 60
    try run.finish(.finished)
  }

  private func threeRuns() throws {
    try run("one", seed: 1, epochs: 3, [70, 80, 75, .nan])
    try run("two", seed: 2, epochs: 3, [60, 84, 90, 50])
    try run("long", seed: 1, epochs: 9, [85, 95])
  }

  @Test func seedsAreOneGroup() throws {
    try threeRuns()
    let outcome = try place.nasrun("compare", "one", "long", "two")
    // By hand: best 80 and 90 (mean 85, deviation 10/√2 = 7.071); medians 75 and 72.
    let expected = """
      3 runs in 2 groups; what differs: epochs
      mean ± standard deviation (n − 1) over the runs of a group

         SEED  STATUS    RUN
      a     1  finished  ID-one
            2  finished  ID-two
      b     1  finished  ID-long

      climb: accuracy (max)
         epochs  N        BEST        MEDIAN  TRIALS        FAILED               TIME           COST
      a  3       2  85 ± 7.071  73.5 ± 2.121   4 ± 0  0.5 ± 0.7071  1 min 0 s ± 0.0 s  8.0 s ± 0.0 s
      b  9       1          95            90       2             0          1 min 0 s          4.0 s

      """
    let text = outcome.output.replacing(/\d{8}-\d{6}-/, with: "ID-")
    #expect(text.hasPrefix(expected), "\(text)")
    #expect(text.contains("best accuracy so far in climb\n        95 │"))
    #expect(text.contains("\n        65 │a") && text.hasSuffix("4 trials\n"))
  }

  @Test func theCourseIsTheMeanOverSeeds() throws {
    try threeRuns()
    let json = try JSONValue(parsing: place.nasrun("compare", "one", "two", "long", "--json").output.utf8, source: "c")
    let group = try #require(json["searches"]?.array?.first?["groups"]?.array?.first)
    #expect(json["schema"] == 1 && json["differing"] == ["epochs"])
    #expect(group["best"]?["mean"] == 85.0 && group["best"]?["n"] == 2 && group["best"]?["values"] == [80.0, 90.0])
    // Trial 1: 70 and 60; trial 2: 80 and 84; trial 3: 80 and 90; nothing better until the end.
    let course = try #require(group["best_so_far"]?.array)
    #expect(course.map { $0["mean"]?.double } == [65, 82, 85, 85] && course.map { $0["x"]?.double } == [1, 2, 3, 4])
    #expect(course[1]["std"]?.double == 8.0.squareRoot())
    let seconds = try place.nasrun("compare", "one", "two", "--over", "seconds")
    #expect(seconds.output.contains("nothing but the seeds differs") && seconds.output.contains("8.0 s of trials"))
  }

  @Test func anotherTextIsAnotherGroup() throws {
    try run("one", seed: 1, epochs: 3, [70])
    try run("two", seed: 1, epochs: 3, [70], text: "return 2\n")
    #expect(try place.nasrun("compare", "one", "two").output.contains("2 groups; what differs: (recipe text)\n"))
  }

  @Test func aNameOfSeveralRunsNamesAllOfThem() throws {
    try run("same", seed: 1, epochs: 3, [70])
    try run("same", seed: 2, epochs: 3, [70])
    #expect(try place.nasrun("compare", "same").output.hasPrefix("2 runs in 1 group; nothing but the seeds differs\n"))
    let one = try place.nasrun("compare", "last")
    #expect(one.status == 64 && one.errors.contains("there is nothing to compare with: expected two runs or more"))
    #expect(try place.nasrun("compare", "last", "sime").errors.contains("Did you mean 'same'?"))
    #expect(try place.nasrun("compare", "same", "--over", "second").errors.contains("Did you mean 'seconds'?"))
  }

  /// A name that would be markup or a gnuplot command is text in the figure.
  @Test func theFigureEscapesNames() throws {
    let name = "<script>alert(1)</script>`touch pwned`\" 'x"
    for seed in [1, 2] as [UInt64] {
      let run = try Run.create(
        in: place.runs, name: "evil", recipe: RecipeSource(file: "a.lua", folder: "/", text: "return 1\n"), seed: seed)
      try run.record(SearchRecord(name: "s", objectives: [Objective(name, .max)]))
      try run.record([
        TrialRecord(search: "s", number: 1, architecture: "a1-x", finished: 1, metrics: [MetricRecord(name, 1)])
      ])
      try run.finish(.finished)
    }
    let outcome = try place.nasrun("compare", "evil", "--svg", "c.svg")
    try #require(outcome.status == 0, "\(outcome.errors)")
    let svg = try String(contentsOf: place.folder.appending(path: "c.svg"), encoding: .utf8)
    #expect(!svg.contains("<script") && svg.contains("&lt;script>"))
    #expect(!FileManager.default.fileExists(atPath: place.folder.appending(path: "pwned").path))
  }

  @Test func spreads() {
    #expect(Spread([2, 4, 4, 4, 5, 5, 7, 9]).mean == 5)
    // Of the textbook sample above: population variance 4, so the sample's is 32/7.
    #expect(Spread([2, 4, 4, 4, 5, 5, 7, 9]).deviation == (32.0 / 7).squareRoot())
    #expect(Spread([1]).deviation == nil && Spread([]).text() == "")
    #expect(Spread.median([3, 1, 2]) == 2 && Spread.median([4, 1, 2, 3]) == 2.5 && Spread.median([]).isNaN)
  }
}
