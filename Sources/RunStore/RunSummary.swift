import Canonical
import Diagnostics
import Foundation
import GRDB
import SearchCore

/// A run in one line, as lists show it.
public struct RunSummary: Sendable, Equatable {
  /// The name of the run's folder, which names it in commands.
  public var id: String
  public var name: String
  /// The recipe's file name.
  public var recipe: String
  public var status: RunStatus
  public var reason: String?
  /// Trials done, failed ones included.
  public var trials: Int
  public var failedTrials: Int
  /// Trials planned by all searches; nil when one of them doesn't say.
  public var planned: Int?
  /// The primary objective of the last search that has a result, and its best value.
  public var metric: String?
  public var best: Double?
  /// Seconds since 1970.
  public var started: Double
  /// Seconds at work.
  public var activeSeconds: Double
  /// Every argument of the recipe by name.
  public var arguments: JSONValue = [:]
  public var seed: UInt64 = 0
  public var marks = RunMarks()
  /// Why the record can't be read; the fields above are then empty.
  public var problem: String?
}

extension RunSummary {
  /// Reads the summary of the run in `folder` from its record, without verifying the journal.
  init(reading folder: URL) throws {
    let files = RunFolder(url: folder)
    let database = try Run.connect(files, writing: false)
    self = try withFaults(at: files.database) {
      try database.read { db in try RunSummary(db, files) }
    }
  }

  private init(_ db: Database, _ files: RunFolder) throws {
    let file = files.database.path(percentEncoded: false)
    let (identity, _) = try Meta.identity(db, file: file)
    let state = try Meta.state(db, end: JournalEnd(rows: 0, head: ""), file: file)
    let counts = try Row.fetchOne(
      db, sql: "SELECT count(*), coalesce(sum(status = 'failed'), 0) FROM trial WHERE entry IS NOT NULL")
    let plans = try Row.fetchOne(db, sql: "SELECT count(*) = count(planned), sum(planned) FROM search")
    let best = try Self.best(db, file: file)
    self.init(
      id: files.url.lastPathComponent, name: identity.name, recipe: identity.recipe, status: state.status,
      reason: state.reason, trials: counts?[0] ?? 0, failedTrials: counts?[1] ?? 0,
      planned: plans?[0] == true ? plans?[1] : nil, metric: best?.metric, best: best?.value, started: identity.created,
      activeSeconds: state.activeSeconds, arguments: identity.arguments, seed: identity.seed, marks: try RunMarks(db))
  }

  private static func best(_ db: Database, file: String) throws -> (metric: String, value: Double)? {
    let searches = try Row.fetchAll(db, sql: "SELECT * FROM search ORDER BY number DESC")
      .map { try SearchRecord(row: $0, source: file) }
    for search in searches {
      guard let primary = search.objectives.first else { continue }
      let value = try Double.fetchOne(
        db,
        sql: """
          SELECT value FROM metric JOIN trial ON trial.id = metric.trial
          WHERE metric.name = ? AND epoch IS NULL AND kind = 'finite' AND search = ? AND status = 'ok'
            AND NOT EXISTS (
              SELECT 1 FROM metric AS other WHERE other.trial = trial.id AND other.name = 'violation'
                AND other.epoch IS NULL AND (other.value > 0 OR other.value IS NULL))
          ORDER BY value \(primary.direction == .max ? "DESC" : "ASC") LIMIT 1
          """,
        arguments: [primary.name, search.name])
      if let value { return (primary.name, value) }
    }
    return nil
  }

  /// The line of a run whose record can't be read.
  init(id: String, problem: String) {
    self.init(
      id: id, name: "", recipe: "", status: .failed, trials: 0, failedTrials: 0, started: 0, activeSeconds: 0,
      problem: problem)
  }
}
