import Canonical
import Foundation
import RunStore
import SearchCore

/// A folder to run the built `nasrun` in, removed with the test.
final class Workplace {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "nasrun-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var runs: URL { folder.appending(path: "runs", directoryHint: .isDirectory) }

  /// What a command said and how it ended.
  struct Outcome {
    var output: String
    var errors: String
    var status: Int32
  }

  /// Runs `nasrun` with the arguments in the folder, in the time zone UTC.
  func nasrun(_ arguments: String...) throws -> Outcome { try nasrun(arguments) }

  func nasrun(_ arguments: [String]) throws -> Outcome {
    let process = Process()
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = tests.deletingLastPathComponent().appending(path: "nasrun")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(["TZ": "UTC", "COLUMNS": "80"]) { $1 }
    let output = folder.appending(path: "output.txt"), errors = folder.appending(path: "errors.txt")
    for file in [output, errors] { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self), status: process.terminationStatus)
  }

  /// A run with a search of two objectives: four trials, of which one failed. Started at 2026-11-20 12:00:00 UTC.
  @discardableResult func sampleRun(_ name: String, minutes: Double = 0) throws -> Run {
    let run = try Run.create(
      in: runs, name: name, recipe: RecipeSource(file: "hill.lua", folder: "/recipes", text: "return 1\n"),
      arguments: ["epochs": 3, "data": "shapes"], seed: 7, environment: ["nasrun": "1.0"],
      at: Date(timeIntervalSince1970: 1_795_176_000 + 60 * minutes))
    var search = SearchRecord(
      name: "climb", objectives: [Objective("accuracy", .max), Objective("latency_ms", .min)], planned: 4)
    try run.record(search)
    for (number, values) in [(80, 2.5), (90.25, 4), (70, 3)].enumerated() {
      try run.record([trial(number + 1, accuracy: values.0, latency: values.1)])
    }
    var failed = trial(4, accuracy: .nan, latency: 1)
    failed.status = .failed
    failed.failure = "loss is NaN after epoch 2"
    failed.failedAt = "hill.lua:12"
    try run.record([failed])
    search.stopReason = "4 trials"
    try run.record(search)
    run.activeSeconds = 123.4
    try run.finish(.finished)
    return run
  }

  private func trial(_ number: Int, accuracy: Double, latency: Double) -> TrialRecord {
    TrialRecord(
      search: "climb", number: number, architecture: "0123456789abcdef\(number)", decisions: ["op": "conv3"],
      budget: ["epochs": 3], started: 0, finished: 1,
      metrics: [
        MetricRecord("accuracy", 10, epoch: 1), MetricRecord("accuracy", accuracy),
        MetricRecord("latency_ms", latency, exact: false), MetricRecord("params", 1_073_466),
      ])
  }
}
