import Diagnostics
import GRDB

/// The end of a verified journal: how many rows it has and the checksum of the last.
struct JournalEnd: Sendable, Equatable {
  var rows: Int
  var head: String
}

extension Journal {
  /// Reads the whole journal and the trials it covers, and checks each row against its checksum.
  ///
  /// Throws a `data` fault naming `file`, the row, what was expected and what came.
  static func verify(_ db: Database, identity: String, file: String) throws -> JournalEnd {
    if let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)"), problem != "ok" {
      throw Fault(.data, "the run's record is damaged", at: file, hint: copyHint, cause: problem)
    }
    var trials = try CoveredTrials(db, file: file)
    var end = JournalEnd(rows: 0, head: origin(identity: identity))
    let rows = try Row.fetchCursor(
      db, sql: "SELECT \(columns.joined(separator: ", ")), checksum FROM journal ORDER BY sequence")
    while let row = try rows.next() {
      let values = Array(row.databaseValues)
      let sequence = Int.fromDatabaseValue(values[0]) ?? 0
      guard sequence == end.rows + 1 else {
        throw damage(file, "a journal row is missing", expected: "row \(end.rows + 1)", got: "row \(sequence)")
      }
      let computed = checksum(after: end.head, try [Array(values.dropLast())] + trials.values(of: sequence))
      let stored = String.fromDatabaseValue(values[values.count - 1]) ?? "none"
      guard computed == stored else {
        throw damage(
          file, "journal row \(sequence) is not what was written", expected: "checksum \(stored.prefix(12))",
          got: "\(computed.prefix(12))")
      }
      end = JournalEnd(rows: sequence, head: computed)
    }
    try trials.finish()
    return end
  }

  /// Checks the end of the journal against what the last transaction noted.
  static func verify(_ end: JournalEnd, matches noted: JournalEnd, file: String) throws {
    guard end.rows == noted.rows else {
      throw damage(
        file, "journal rows are missing at the end", expected: "\(noted.rows) rows", got: "\(end.rows)")
    }
    guard end.head == noted.head else {
      throw damage(
        file, "the journal's end is not what was written", expected: "checksum \(noted.head.prefix(12))",
        got: "\(end.head.prefix(12))")
    }
  }

  static func damage(_ file: String, _ message: String, expected: String, got: String) -> Fault {
    Fault(.data, message, at: file, expected: expected, got: got, hint: copyHint)
  }
}

/// The finished trials and their metrics in the order of the journal rows that cover them.
private struct CoveredTrials {
  private let file: String
  private let trials: RowCursor
  private let metrics: RowCursor
  private var trial: Row?
  private var metric: Row?

  init(_ db: Database, file: String) throws {
    self.file = file
    let trialColumns = Journal.trialColumns.map { "trial." + $0 }.joined(separator: ", ")
    let metricColumns = Journal.metricColumns.map { "metric." + $0 }.joined(separator: ", ")
    trials = try Row.fetchCursor(
      db, sql: "SELECT id, entry, \(trialColumns) FROM trial WHERE entry IS NOT NULL ORDER BY entry, id")
    metrics = try Row.fetchCursor(
      db,
      sql: """
        SELECT trial.id, \(metricColumns) FROM trial JOIN metric ON metric.trial = trial.id
        WHERE entry IS NOT NULL ORDER BY entry, trial.id, metric.id
        """)
    trial = try trials.next()?.copy()
    metric = try metrics.next()?.copy()
  }

  /// The values of the trials that the journal row `sequence` covers, each followed by its metrics.
  mutating func values(of sequence: Int) throws -> [[DatabaseValue]] {
    var values: [[DatabaseValue]] = []
    while let row = trial, Int.fromDatabaseValue(row[1]) == sequence {
      values.append(Array(row.databaseValues.dropFirst(2)))
      while let next = metric, next[0] as DatabaseValue == row[0] as DatabaseValue {
        values.append(Array(next.databaseValues.dropFirst()))
        metric = try metrics.next()?.copy()
      }
      trial = try trials.next()?.copy()
    }
    return values
  }

  /// Throws when there are trials that no journal row covers.
  func finish() throws {
    guard let trial else { return }
    throw Journal.damage(
      file, "a trial belongs to a journal row that is missing", expected: "journal row \(trial[1] as DatabaseValue)",
      got: "none")
  }
}
