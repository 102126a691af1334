import Canonical
import Diagnostics
import GRDB

/// What a transaction is made of.
extension Run {
  /// Appends a journal row with the trials it covers and moves the journal's end.
  func append(
    _ db: Database, _ state: inout State, trials: [TrialRecord] = [], row: (_ sequence: Int) -> [DatabaseValue]
  ) throws {
    let sequence = state.end.rows + 1
    let values = row(sequence)
    let covered = trials.flatMap { trial in [trial.values] + trial.metrics.map(\.values) }
    let checksum = Journal.checksum(after: state.end.head, [values] + covered)
    for trial in trials { try insert(db, trial, entry: sequence) }
    try db.cachedStatement(sql: Self.insertion(into: "journal", Journal.columns + ["checksum"]))
      .execute(arguments: StatementArguments(values + [checksum.databaseValue]))
    state.end = JournalEnd(rows: sequence, head: checksum)
  }

  /// Writes the decisions and events that wait for a transaction.
  func writePending(_ db: Database, _ state: inout State) throws {
    for decision in state.pendingDecisions {
      try append(db, &state) { decision.values(sequence: $0) }
    }
    try insert(db, state.pendingEvents)
    state.pendingDecisions = []
    state.pendingEvents = []
  }

  func insert(_ db: Database, _ events: [EventRecord]) throws {
    for event in events {
      try db.cachedStatement(sql: "INSERT INTO event (time, kind, text) VALUES (?, ?, ?)")
        .execute(arguments: [event.time, event.kind, event.text])
    }
  }

  /// Writes a trial in the place of its `running` row.
  func insert(_ db: Database, _ trial: TrialRecord, entry: Int?) throws {
    try db.cachedStatement(sql: "DELETE FROM trial WHERE search = ? AND number = ? AND entry IS NULL")
      .execute(arguments: [trial.search, trial.number])
    try db.cachedStatement(sql: Self.insertion(into: "trial", ["entry"] + Journal.trialColumns))
      .execute(arguments: StatementArguments([entry.databaseValue] + trial.values))
    let id = db.lastInsertedRowID
    for metric in trial.metrics {
      try db.cachedStatement(sql: Self.insertion(into: "metric", ["trial"] + Journal.metricColumns))
        .execute(arguments: StatementArguments([id.databaseValue] + metric.values))
    }
  }

  /// Whether the trial isn't recorded yet. Throws when it is, with other exact content.
  func isNew(_ db: Database, _ trial: TrialRecord) throws -> Bool {
    guard let recorded = try Self.trial(db, search: trial.search, number: trial.number, source: file),
      recorded.status != .running
    else { return true }
    let expected = recorded.exactJSON.text(), got = trial.exactJSON.text()
    guard expected == got else {
      throw Fault(
        .recipe, "the recipe doesn't repeat what it did before", path: "\(trial.search)/trial \(trial.number)",
        expected: expected, got: got,
        hint: "Something it depends on has changed; start it again with --reuse \(identity.id).")
    }
    return false
  }

  /// The journal row that covers a group of trials; what they are is in their own rows.
  static func groupValues(sequence: Int, trials: [TrialRecord]) -> [DatabaseValue] {
    let label = "\(trials.count) trials"
    let values: [any DatabaseValueConvertible] = [
      sequence, "trials", trials[0].search, "", "", trials[0].number, label, "null", "null", 0.0, false,
    ]
    return values.map(\.databaseValue)
  }

  private static func insertion(into table: String, _ columns: [String]) -> String {
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    return "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))"
  }
}
