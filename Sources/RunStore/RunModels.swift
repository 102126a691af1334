import Canonical
import Diagnostics
import Foundation
import GRDB

/// A network that a run keeps: `weights.safetensors` and `architecture.json` in a folder of `models/`.
public struct KeptModel: Sendable {
  public let folder: URL
  /// What `architecture.json` says: decisions, input, graph, training.
  public let description: JSONValue

  /// The architecture's id.
  public var architecture: String { description["id"]?.string ?? folder.lastPathComponent }
  /// The key of the trial that trained it; nil when it was saved outside of a trial.
  public var trialKey: String? { description["trial_key"]?.string }
  /// Whether the weights are as they were drawn: nothing trained or loaded them.
  public var hasFirstWeights: Bool { description["has_first_weights"]?.bool ?? false }
  public var weights: URL { folder.appending(path: "weights.safetensors") }
}

extension Run {
  private var models: URL { folder.appending(path: "models", directoryHint: .isDirectory) }

  /// Where a trial's network goes: `models/<architecture>/`, or `models/<architecture>-<key>/` when the network of
  /// another trial of the same architecture is there.
  public func modelFolder(of architecture: String, trialKey: String?) -> URL {
    let plain = models.appending(path: architecture, directoryHint: .isDirectory)
    guard let trialKey, let there = Self.model(in: plain), there.trialKey != trialKey else { return plain }
    return models.appending(path: "\(architecture)-\(trialKey.prefix(8))", directoryHint: .isDirectory)
  }

  /// The network that is kept of a trial of an architecture; of `trialKey` nil, the one saved last under its id.
  ///
  /// A record of before trials were noted with their networks has at most one per architecture, which is taken.
  public func keptModel(of architecture: String, trialKey: String?) -> KeptModel? {
    keptModels().first { model in
      model.architecture == architecture
        && (model.trialKey == nil || trialKey == nil || model.trialKey == trialKey)
    }
  }

  /// All networks that the run keeps, in the order of their folders' names.
  public func keptModels() -> [KeptModel] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: models.path(percentEncoded: false))) ?? []
    return names.sorted().compactMap { Self.model(in: models.appending(path: $0, directoryHint: .isDirectory)) }
  }

  private static func model(in folder: URL) -> KeptModel? {
    let file = folder.appending(path: "architecture.json")
    guard let data = try? Data(contentsOf: file),
      let json = try? JSONValue(parsing: data, source: file.path(percentEncoded: false))
    else { return nil }
    return KeptModel(folder: folder, description: json)
  }

  /// The key of the effect that completed a trial; nil for a table lookup and for a trial that still runs.
  ///
  /// A trial that another search had already paid for has the key of that one.
  public func key(of trial: TrialRecord) throws -> String? {
    try read { db in
      try String.fetchOne(
        db,
        sql: """
          SELECT journal.key FROM trial JOIN journal ON journal.sequence = trial.entry
          WHERE journal.kind = 'trial' AND trial.architecture = ? AND trial.budget = ? AND trial.repetition = ?
          ORDER BY trial.search = ? AND trial.number = ? DESC, trial.id LIMIT 1
          """,
        arguments: [
          trial.architecture, trial.budget.text(), trial.repetition, trial.search, trial.number,
        ])
    }
  }
}
