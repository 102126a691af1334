import Diagnostics
import Foundation
import LuaAPI
import LuaHost
import RunStore

/// Trains a recorded trial again, in a copy of its run, for the network that wasn't kept.
struct Retraining {
  let run: Run
  let trial: TrialRecord
  let execution: ExecutionOptions

  /// Calls `body` with the network, whose files are gone afterwards.
  ///
  /// - Throws: a fault when the recipe can't be run as it was, or when the trial comes out otherwise than recorded.
  func withModel(_ body: (KeptModel) throws -> Void) throws {
    guard let key = try run.key(of: trial) else {
      throw Fault(
        .usage, "trial \(trial.number) trained no network", got: "a table lookup",
        hint: "Build its architecture in a recipe of your own.")
    }
    let folder = try run.scratchCopy()
    defer { try? FileManager.default.removeItem(at: folder) }
    var options = try SessionOptions(
      resuming: Run.open(folder, writing: true), runs: folder.deletingLastPathComponent())
    options.reproducing = key
    try execution.apply(to: &options)
    let job = RetrainingJob(options)
    options.resuming = nil
    try LuaHost.onBigStack { try job.run() }
    guard let model = try Run.open(folder).keptModel(of: trial.architecture, trialKey: key) else {
      throw Fault(.internal, "the trial was computed, but its network is not there")
    }
    try body(model)
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
