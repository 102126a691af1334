import Canonical
import Diagnostics
import GRDB

/// The rows of the `meta` table: what the run is, how it stands, and where its journal ends.
enum Meta {
  static func set(_ db: Database, _ key: String, _ value: (any DatabaseValueConvertible)?) throws {
    guard let value else {
      return try db.cachedStatement(sql: "DELETE FROM meta WHERE key = ?").execute(arguments: [key])
    }
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
      .execute(arguments: [key, value.databaseValue])
  }

  static func get<T: DatabaseValueConvertible>(_ db: Database, _ key: String, as type: T.Type = T.self) throws -> T? {
    let value = try DatabaseValue.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    return value.flatMap { T.fromDatabaseValue($0) }
  }

  static func write(_ db: Database, _ state: Run.State) throws {
    try set(db, "status", state.status.rawValue)
    try set(db, "reason", state.reason)
    try set(db, "finished", state.finished)
    try writeProgress(db, state)
  }

  /// What changes with every transaction.
  static func writeProgress(_ db: Database, _ state: Run.State) throws {
    try set(db, "active_seconds", state.activeSeconds)
    try set(db, "journal_rows", state.end.rows)
    try set(db, "journal_head", state.end.head)
  }

  /// The run's identity and state, once the schema is known and the whole journal is verified.
  static func verified(_ db: Database, file: String) throws -> (RunIdentity, Run.State) {
    let (identity, text) = try identity(db, file: file)
    let noted = JournalEnd(
      rows: try get(db, "journal_rows") ?? 0, head: try get(db, "journal_head") ?? "none")
    let end = try Journal.verify(db, identity: text, file: file)
    try Journal.verify(end, matches: noted, file: file)
    return (identity, try state(db, end: end, file: file))
  }

  static func identity(_ db: Database, file: String) throws -> (RunIdentity, text: String) {
    guard try db.tableExists("meta"), let text = try get(db, "identity", as: String.self) else {
      throw Fault(
        .data, "this is not a run's record", at: file, expected: "nasrun's tables",
        got: "an SQLite database without them")
    }
    if try Schema.migrator.hasBeenSuperseded(db) {
      throw Fault(.data, "a newer nasrun wrote this record", at: file, hint: "Update nasrun.")
    }
    return (try RunIdentity(json: JSONValue(parsing: text.utf8, source: file), source: file), text)
  }

  static func state(_ db: Database, end: JournalEnd, file: String) throws -> Run.State {
    let status = try get(db, "status", as: String.self) ?? "none"
    guard let known = RunStatus(rawValue: status) else {
      let all = RunStatus.allCases.map(\.rawValue).joined(separator: ", ")
      throw Journal.damage(file, "the run's status is damaged", expected: "one of " + all, got: status)
    }
    return Run.State(
      end: end, status: known, reason: try get(db, "reason"), activeSeconds: try get(db, "active_seconds") ?? 0,
      finished: try get(db, "finished"))
  }
}
