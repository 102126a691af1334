import Canonical
import Diagnostics
import Foundation
import RunStore
import SearchCore

/// A folder for runs that is removed with the test, and short ways to fill a run.
final class Fixture {
  let runs: URL

  init() throws {
    runs = FileManager.default.temporaryDirectory.appending(path: "nasrun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: runs) }

  /// 2026-11-20 12:00:00 UTC.
  static let noon = Date(timeIntervalSince1970: 1_795_176_000)

  func run(_ name: String? = nil, reuse parent: Run? = nil, at date: Date = noon) throws -> Run {
    try Run.create(
      in: runs, name: name, recipe: RecipeSource(file: "hill.lua", folder: "/recipes", text: "return 1\n"),
      arguments: ["epochs": 3, "rate": 0.5], seed: .max, environment: ["nasrun": "1.0", "numerics": ["fma": true]],
      reuse: parent, at: date)
  }

  /// A closed run of `count` trials, each with its decision and effect.
  func closedRun(_ name: String = "closed", trials count: Int = 3) throws -> URL {
    let run = try run(name)
    try Self.fill(run, 0..<count)
    try run.finish(.interrupted, reason: "Ctrl-C")
    return run.folder
  }

  /// Records the search `evolution` and some of its trials in the way an engine does.
  static func fill(_ run: Run, _ numbers: Range<Int>, observed: Double = 1) throws {
    try run.record(SearchRecord(name: "evolution", objectives: [Objective("accuracy", .max)], planned: 10))
    for number in numbers {
      try run.decide(DecisionRecord(search: "evolution", kind: "ask", request: number, value: ["arch": .int(number)]))
      run.activeSeconds += observed
      try run.record(effect(number, observed: observed), trials: [trial(number, observed: observed)])
    }
  }

  static func effect(_ number: Int, observed: Double = 1) -> EffectRecord {
    EffectRecord(
      kind: "train", key: ContentDigest.of("trial \(number)"), exact: ["accuracy": .number(50 + Double(number))],
      observed: ["seconds": .number(observed)], search: "evolution", label: "trial \(number)", activeSeconds: observed)
  }

  static func trial(_ number: Int, observed: Double = 1) -> TrialRecord {
    TrialRecord(
      search: "evolution", number: number, architecture: "arch\(number)", decisions: ["op": "conv3"],
      budget: ["epochs": 3], status: .ok, started: Double(number), finished: Double(number) + observed,
      metrics: [
        MetricRecord("loss", 1 / Double(number + 1), epoch: 1), MetricRecord("accuracy", 50 + Double(number)),
        MetricRecord("latency_ms", observed, exact: false),
      ])
  }

  /// Changes a closed run's database behind the store's back with the `sqlite3` command.
  @discardableResult func sqlite(_ folder: URL, _ sql: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/sqlite3")
    process.arguments = [folder.appending(path: "run.sqlite").path(percentEncoded: false), sql]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self)
  }
}
