import Canonical
import Diagnostics
import GRDB
import SearchCore

extension Run {
  /// The searches in the order they began.
  public func searches() throws -> [SearchRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM search ORDER BY number").map { try SearchRecord(row: $0, source: file) }
    }
  }

  /// The trials of one search, or of all, in the order of searches and numbers, with their metrics.
  public func trials(of search: String? = nil) throws -> [TrialRecord] {
    try read { db in try Self.trials(db, of: search, source: file) }
  }

  /// The events in the order they were noted.
  public func events() throws -> [EventRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM event ORDER BY id")
        .map { try EventRecord(row: $0, source: file) }
    }
  }

  /// The effects in the order they were recorded.
  public func effects() throws -> [EffectRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM effect ORDER BY sequence")
        .map { try EffectRecord(row: $0, source: file) }
    }
  }

  /// The decisions of every search in the order of their requests.
  public func decisions() throws -> [DecisionRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM decision ORDER BY search, kind, request")
        .map { try DecisionRecord(row: $0, source: file) }
    }
  }

  static func trial(_ db: Database, search: String, number: Int, source: String) throws -> TrialRecord? {
    let statement = try db.cachedStatement(sql: "SELECT * FROM trial WHERE search = ? AND number = ?")
    guard let row = try Row.fetchOne(statement, arguments: [search, number]) else { return nil }
    var trial = try TrialRecord(row: row, source: source)
    let metrics = try db.cachedStatement(sql: "SELECT * FROM metric WHERE trial = ? ORDER BY id")
    trial.metrics = try Row.fetchAll(metrics, arguments: [row["id"] as Int]).map {
      try MetricRecord(row: $0, source: source)
    }
    return trial
  }

  static func trials(_ db: Database, of search: String?, source: String) throws -> [TrialRecord] {
    let condition = search == nil ? "" : "WHERE trial.search = ?"
    let arguments: StatementArguments = search.map { [$0] } ?? []
    let metrics = try metrics(db, condition, arguments, source: source)
    let columns = ["id"] + Journal.trialColumns
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(columns.map { "trial." + $0 }.joined(separator: ", "))
        FROM trial LEFT JOIN search ON search.name = trial.search \(condition)
        ORDER BY search.number, trial.search, trial.number
        """,
      arguments: arguments)
    var trials: [TrialRecord] = []
    while let row = try rows.next() {
      var trial = try TrialRecord(row: row, source: source, columns: columns)
      trial.metrics = metrics[row[0]] ?? []
      trials.append(trial)
    }
    return trials
  }

  /// The metrics of the trials of a condition, by the trials' row numbers.
  private static func metrics(
    _ db: Database, _ condition: String, _ arguments: StatementArguments, source: String
  ) throws -> [Int: [MetricRecord]] {
    let columns = ["trial"] + Journal.metricColumns
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(columns.map { "metric." + $0 }.joined(separator: ", "))
        FROM metric JOIN trial ON trial.id = metric.trial \(condition) ORDER BY metric.id
        """,
      arguments: arguments)
    var metrics: [Int: [MetricRecord]] = [:]
    while let row = try rows.next() {
      metrics[row[0], default: []].append(try MetricRecord(row: row, source: source, columns: columns))
    }
    return metrics
  }
}

extension SearchRecord {
  /// `[{"name":"accuracy","direction":"max"}, …]`
  package var objectivesJSON: JSONValue {
    .array(objectives.map { ["name": .string($0.name), "direction": .string($0.direction.rawValue)] })
  }

  init(row: Row, source: String) throws {
    let row = CheckedRow(row, source)
    let objectives = try row.json("objectives").array ?? []
    self.init(
      name: try row("name"),
      objectives: objectives.map { Objective($0["name"]?.string ?? "", $0["direction"] == "min" ? .min : .max) },
      planned: try row.optional("planned"), stopReason: try row.optional("stop_reason"),
      details: try row.json("details"))
  }
}

extension EventRecord {
  init(row: Row, source: String) throws {
    let row = CheckedRow(row, source)
    self.init(time: try row("time"), kind: try row("kind"), text: try row("text"))
  }
}

extension DecisionRecord {
  init(row: Row, source: String) throws {
    let row = CheckedRow(row, source)
    self.init(
      search: try row("search"), kind: try row("kind"), request: try row("request"), value: try row.json("value"))
  }
}
