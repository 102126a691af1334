import Canonical
import Diagnostics
import Foundation
import GRDB

/// The runs of a folder: `nasrun.sqlite` beside them keeps a line for each, so that listing doesn't open every record.
///
/// The index holds nothing of its own. A line is renewed when its record's files have changed, and the whole file is
/// made anew when it is missing or damaged; where it can't be written, the runs are read each time.
public enum RunIndex {
  /// The runs in `runs`, oldest first. A folder that isn't there has none.
  public static func list(_ runs: URL) throws -> [RunSummary] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: runs.path(percentEncoded: false))) ?? [])
      .filter { !$0.hasPrefix(".") && RunFolder(url: runs.appending(path: $0)).hasRecord }
    if names.isEmpty { return [] }
    let table = IndexTable(beside: runs)
    let summaries = names.map { name in
      let folder = runs.appending(path: name)
      return noticingDeath(table.summary(of: folder), in: folder)
    }
    table.forget(allBut: names)
    return summaries.sorted { ($0.started, $0.id) < ($1.started, $1.id) }
  }

  /// The folder of the run that `text` names: an id, the unique beginning of one, a name, a path, or `last`.
  public static func find(_ text: String, in runs: URL) throws -> URL {
    if text.contains("/") || text == "." || text == ".." {
      return URL(filePath: text, directoryHint: .isDirectory)
    }
    if RunFolder(url: runs.appending(path: text)).hasRecord, !text.isEmpty { return runs.appending(path: text) }
    let all = try list(runs)
    if text == "last", let last = all.last { return runs.appending(path: last.id) }
    for matches in [all.filter { $0.name == text }, all.filter { !text.isEmpty && $0.id.hasPrefix(text) }] {
      if matches.count == 1 { return runs.appending(path: matches[0].id) }
      if matches.count > 1 { throw ambiguous(text, matches) }
    }
    let place = runs.path(percentEncoded: false)
    if all.isEmpty { throw Fault(.usage, "there are no runs", at: place, hint: "Name another folder with --runs DIR.") }
    throw Fault(
      .usage, "no run is called '\(text)'", at: place,
      hint: Suggestion.nearest(to: text, among: Set(all.flatMap { [$0.id, $0.name] })).map { "Did you mean '\($0)'?" }
        ?? "'nasrun ls' shows the runs there are.")
  }

  private static func ambiguous(_ text: String, _ matches: [RunSummary]) -> Fault {
    let some = matches.suffix(5).map(\.id).joined(separator: ", ")
    return Fault(
      .usage, "'\(text)' names \(matches.count) runs", got: matches.count > 5 ? "…, " + some : some,
      hint: "Give more of the id, or 'last' for the newest of all.")
  }

  /// A run that says it is running but isn't written by anyone was killed.
  private static func noticingDeath(_ summary: RunSummary, in folder: URL) -> RunSummary {
    guard summary.status == .running, !RunLock.isHeld(RunFolder(url: folder)) else { return summary }
    var summary = summary
    summary.status = .interrupted
    summary.reason = Run.deathReason
    return summary
  }
}

/// The table of `nasrun.sqlite`, or one in memory where that can't be written.
private struct IndexTable {
  private static let columns = [
    "id", "stamp", "name", "recipe", "status", "reason", "trials", "failed_trials", "planned", "metric", "best",
    "started", "active_seconds", "problem", "arguments", "seed", "marks",
  ]
  private let database: DatabaseQueue?

  init(beside runs: URL) {
    let url = runs.appending(path: "nasrun.sqlite")
    do {
      database = try Self.connect(url)
    } catch let error as DatabaseError where Self.damaged.contains(error.resultCode.primaryResultCode) {
      for suffix in ["", "-journal"] { unlink(url.path(percentEncoded: false) + suffix) }
      database = (try? Self.connect(url)) ?? Self.inMemory()
    } catch {
      database = Self.inMemory()
    }
  }

  private static let damaged: [ResultCode] = [.SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_ERROR]

  private static func inMemory() -> DatabaseQueue? {
    let database = try? DatabaseQueue()
    if let database { try? prepare(database) }
    return database
  }

  private static func connect(_ url: URL) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(2)
    let database = try DatabaseQueue(path: url.path(percentEncoded: false), configuration: configuration)
    try prepare(database)
    return database
  }

  /// Makes the table, and throws when there is one that isn't ours.
  private static func prepare(_ database: DatabaseQueue) throws {
    try database.write { db in
      try db.execute(
        sql: "CREATE TABLE IF NOT EXISTS run (id PRIMARY KEY, \(columns.dropFirst().joined(separator: ", ")))")
      _ = try Row.fetchOne(db, sql: "SELECT \(columns.joined(separator: ", ")) FROM run")
    }
  }

  /// The run's line, from the table when its record hasn't changed since, else from the record.
  func summary(of folder: URL) -> RunSummary {
    let stamp = Self.stamp(of: folder)
    if let known = try? database?.read({ try Self.known($0, folder.lastPathComponent, stamp) }) { return known }
    let fresh: RunSummary
    do {
      fresh = try RunSummary(reading: folder)
    } catch {
      fresh = RunSummary(id: folder.lastPathComponent, problem: "\(error)")
    }
    try? database?.write { try Self.keep($0, fresh, stamp) }
    return fresh
  }

  /// Removes the lines of runs that are gone.
  func forget(allBut names: [String]) {
    try? database?.write { db in
      let gone = try Set(String.fetchAll(db, sql: "SELECT id FROM run")).subtracting(names)
      for id in gone { try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [id]) }
    }
  }

  /// Sizes and times of change of the record's files: what changes whenever the record does.
  private static func stamp(of folder: URL) -> String {
    let path = RunFolder(url: folder).database.path(percentEncoded: false)
    return [path, path + "-wal"].map { path in
      var status = stat()
      guard stat(path, &status) == 0 else { return "-" }
      return "\(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec) \(status.st_ino)"
    }.joined(separator: "; ")
  }

  private static func known(_ db: Database, _ id: String, _ stamp: String) throws -> RunSummary? {
    let statement = try db.cachedStatement(sql: "SELECT * FROM run WHERE id = ? AND stamp = ?")
    guard let row = try Row.fetchOne(statement, arguments: [id, stamp]) else { return nil }
    func value<T: DatabaseValueConvertible>(_ column: String) -> T? { T.fromDatabaseValue(row[column]) }
    guard let status = RunStatus(rawValue: value("status") ?? "") else { return nil }
    return RunSummary(
      id: id, name: value("name") ?? "", recipe: value("recipe") ?? "", status: status, reason: value("reason"),
      trials: value("trials") ?? 0, failedTrials: value("failed_trials") ?? 0, planned: value("planned"),
      metric: value("metric"), best: value("best"), started: value("started") ?? 0,
      activeSeconds: value("active_seconds") ?? 0, arguments: try json(row, "arguments"),
      seed: value("seed").flatMap { UInt64($0 as String) } ?? 0, marks: RunMarks(json: try json(row, "marks")),
      problem: value("problem"))
  }

  private static func json(_ row: Row, _ column: String) throws -> JSONValue {
    try JSONValue(parsing: (String.fromDatabaseValue(row[column]) ?? "{}").utf8, source: "nasrun.sqlite")
  }

  private static func keep(_ db: Database, _ run: RunSummary, _ stamp: String) throws {
    let values: [(any DatabaseValueConvertible)?] = [
      run.id, stamp, run.name, run.recipe, run.status.rawValue, run.reason, run.trials, run.failedTrials, run.planned,
      run.metric, run.best, run.started, run.activeSeconds, run.problem, run.arguments.text(), String(run.seed),
      run.marks.json.text(),
    ]
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    try db.execute(
      sql: "INSERT OR REPLACE INTO run (\(columns.joined(separator: ", "))) VALUES (\(marks))",
      arguments: StatementArguments(values))
  }
}
