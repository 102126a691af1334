import Canonical
import Foundation
import RunStore
import SearchCore

/// What `nasrun show` tells about a run, as values.
struct RunReport {
  /// A search with its trials, ranked and reduced.
  struct Search {
    let record: SearchRecord
    let trials: [TrialRecord]
    /// The best trial by the primary objective among those that keep the constraints.
    let best: TrialRecord?
    /// The trials no other is better than in every objective, best first; empty with a single objective.
    let front: [TrialRecord]
  }

  let run: Run
  let searches: [Search]
  let reusedEffects: Int
  let files: [String]
  let marks: RunMarks

  init(_ run: Run) throws {
    self.run = run
    let trials = Dictionary(grouping: try run.trials(), by: \.search)
    searches = try run.searches().map { try Search($0, trials[$0.name] ?? []) }
    reusedEffects = try run.reusedEffects()
    files = Self.files(in: run.folder)
    marks = try run.marks()
  }

  /// Paths within the folder, without SQLite's side files and the lock.
  private static func files(in folder: URL) -> [String] {
    let paths = FileManager.default.subpaths(atPath: folder.path(percentEncoded: false)) ?? []
    return paths.filter { path in
      var isFolder: ObjCBool = false
      let full = folder.appending(path: path).path(percentEncoded: false)
      let hidden = ["-wal", "-shm", "-journal", ".lock"].contains { path.hasSuffix($0) }
      return !hidden && FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }
}

extension RunReport.Search {
  init(_ record: SearchRecord, _ trials: [TrialRecord]) throws {
    self.record = record
    self.trials = trials
    let done = trials.filter(\.isFeasible)
    guard let objectives = try? Objectives(record.objectives), !done.isEmpty else {
      best = nil
      front = []
      return
    }
    let metrics = done.map(\.finalMetrics)
    best = done[objectives.rank(metrics)[0]]
    let members = try Pareto.front(metrics.map(objectives.values(in:)), objectives.directions)
    let ranked = objectives.rank(members.map { metrics[$0] }).map { done[members[$0]] }
    front = objectives.all.count > 1 ? ranked : []
  }

  /// The trials that succeeded, best first by the primary objective.
  func ranked(_ trials: [TrialRecord]) -> [TrialRecord] {
    let done = trials.filter { $0.status == .ok }
    guard let objectives = try? Objectives(record.objectives) else { return done }
    return objectives.rank(done.map(\.finalMetrics)).map { done[$0] }
  }

  /// The objectives of a trial in words: `accuracy 91.25, latency_ms 2.1`.
  func words(for trial: TrialRecord) -> String {
    let metrics = trial.finalMetrics
    return record.objectives.compactMap { objective in
      metrics[objective.name].map { "\(objective.name) \(Wording.number($0))" }
    }.joined(separator: ", ")
  }

  /// The metrics to show: the objectives, then the others by name.
  var metricNames: [String] {
    let objectives = record.objectives.map(\.name)
    let others = Set(trials.flatMap { $0.finalMetrics.keys }).subtracting(objectives)
    return objectives + others.sorted()
  }
}

extension TrialRecord {
  /// The final values by name.
  var finalMetrics: [String: Double] {
    Dictionary(metrics.filter { $0.epoch == nil }.map { ($0.name, $0.value) }) { _, last in last }
  }
}
