import Canonical
import Diagnostics
import Foundation
import LuaAPI
import LuaHost
import NeuralNet
import RunStore

/// Has a recorded trial trained or built again, in a copy of its run, for the network that wasn't kept.
struct Retraining {
  let run: Run
  let trial: TrialRecord
  let execution: ExecutionOptions

  /// Trains the trial again and calls `body` with the network, whose files are gone afterwards.
  ///
  /// - Throws: a fault when the recipe can't be run as it was, or when the trial comes out otherwise than recorded.
  func withModel(_ body: (KeptModel) throws -> Void) throws {
    try reproduce(onlyBuilding: false) { copy, key in
      guard let model = try Run.open(copy).keptModel(of: trial.architecture, trialKey: key) else {
        throw Fault(.internal, "the trial was computed, but its network is not there")
      }
      try body(model)
    }
  }

  /// The trial's network, built again by the recipe without any training.
  func graph() throws -> Graph {
    try reproduce(onlyBuilding: true) { copy, _ in
      let file = copy.appending(path: "graph.json").path(percentEncoded: false)
      return try Graph(json: JSONValue(parsing: Data(contentsOf: URL(filePath: file)), source: file), source: file)
    }
  }

  /// Runs the recipe in a copy of the run up to the trial, then `body` with the copy and the trial's key.
  private func reproduce<Result>(onlyBuilding: Bool, _ body: (URL, String) throws -> Result) throws -> Result {
    guard let key = try run.key(of: trial) else {
      throw Fault(
        .usage, "trial \(trial.number) trained no network", got: "a table lookup, or one that reached its limit",
        hint: "Build its architecture in a recipe of your own.")
    }
    let folder = try run.scratchCopy()
    defer { try? FileManager.default.removeItem(at: folder) }
    var options = try SessionOptions(
      resuming: Run.open(folder, writing: true), runs: folder.deletingLastPathComponent())
    options.reproducing = key
    options.onlyBuilds = onlyBuilding
    try execution.apply(to: &options)
    let job = RetrainingJob(options)
    try LuaHost.onBigStack { try job.run() }
    return try body(folder, key)
  }
}

/// The recipe at work; used on its thread only. What it prints was printed before.
private final class RetrainingJob: RunObserver, @unchecked Sendable {
  private let options: SessionOptions

  init(_ options: SessionOptions) { self.options = options }

  func run() throws { _ = try RecipeRunner(options, observer: self).run() }

  func printed(_ line: String) {}
  func noted(_ text: String) {}
  func progressed(_ progress: SearchState) {}
  func finished(_ trial: TrialSummary, _ progress: SearchState) {}
}
