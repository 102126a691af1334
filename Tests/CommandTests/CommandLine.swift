import Canonical
import Foundation
import RunStore
import SearchCore
import TestSupport
import Testing

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
    /// The exit status, or the negative number of the signal that ended the command.
    var status: Int32
  }

  /// Writes a text file into the folder and returns its name.
  @discardableResult func write(_ name: String, _ text: String) throws -> String {
    let file = folder.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return name
  }

  /// Runs `nasrun` with the arguments in the folder, in the time zone UTC.
  func nasrun(_ arguments: String...) throws -> Outcome { try nasrun(arguments) }

  /// - Parameter killedAfter: seconds after which it is killed; a command that hangs is.
  func nasrun(
    _ arguments: [String], environment: [String: String] = [:], killedAfter seconds: Double = Command.hangs
  ) throws -> Outcome {
    try Command(arguments, in: folder, environment: environment).outcome(killedAfter: seconds)
  }

  /// Writes four small IDX files into a folder: images of 2×3 pixels.
  func writeImages(_ name: String) throws {
    let images = try IDXFixture()
    try images.writeGoodSet()
    let target = folder.appending(path: name)
    try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: URL(filePath: images.folder), to: target)
  }

  /// The only run there is, or the newest.
  func lastRun() throws -> Run { try Run.open("last", in: runs) }

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

/// A `nasrun` at work.
final class Command {
  /// Seconds after which a command is taken to hang: many times what any takes on a machine that does much else.
  static let hangs: Double = 600

  private let process = Process()
  private let output: URL, errors: URL

  /// Starts the `nasrun` that was built with these tests.
  init(_ arguments: [String], in folder: URL, environment: [String: String] = [:]) throws {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let program = tests.deletingLastPathComponent().appending(path: "nasrun")
    try #require(FileManager.default.isExecutableFile(atPath: program.path), "there is no \(program.path)")
    let id = UUID().uuidString
    (output, errors) = (folder.appending(path: id + ".out"), folder.appending(path: id + ".err"))
    for file in [output, errors] { try Data().write(to: file) }
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder
    let standard = ["TZ": "UTC", "COLUMNS": "80", "XDG_CACHE_HOME": folder.appending(path: "cache").path]
    process.environment = ProcessInfo.processInfo.environment.merging(standard) { $1 }.merging(environment) { $1 }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until it has printed something or has ended.
  func waitForOutput() throws {
    while process.isRunning, try FileHandle(forReadingFrom: output).seekToEnd() == 0 { usleep(500) }
  }

  private func wait(_ seconds: Double) {
    let end = Date(timeIntervalSinceNow: seconds)
    while process.isRunning, Date() < end { usleep(1000) }
  }

  /// Waits for the end, and ends the command by a signal when it takes longer than `seconds`.
  func outcome(killedAfter seconds: Double = Command.hangs, by signal: Int32 = SIGKILL) throws -> Workplace.Outcome {
    wait(seconds)
    if process.isRunning { send(signal) }
    if signal != SIGKILL { wait(Self.hangs) }
    if process.isRunning { send(SIGKILL) }
    process.waitUntilExit()
    let status = process.terminationStatus
    return Workplace.Outcome(
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self),
      status: process.terminationReason == .exit ? status : -status)
  }
}
