import Canonical
import Diagnostics
import Foundation
import GRDB

/// What people note about a run: tags, a note, a star.
///
/// Marks lie beside the journal and are no part of what a run repeats. They can be changed at any time, also while
/// another process writes the run.
public struct RunMarks: Sendable, Equatable {
  /// In ascending order.
  public var tags: [String]
  public var note: String?
  public var isStarred: Bool

  public init(tags: [String] = [], note: String? = nil, isStarred: Bool = false) {
    self.tags = Array(Set(tags)).sorted()
    self.note = note
    self.isStarred = isStarred
  }

  /// `{"note":…,"starred":…,"tags":[…]}`
  public var json: JSONValue {
    [
      "tags": .array(tags.map(JSONValue.string)), "note": note.map(JSONValue.string) ?? .null,
      "starred": .bool(isStarred),
    ]
  }

  init(json: JSONValue) {
    self.init(
      tags: (json["tags"]?.array ?? []).compactMap(\.string), note: json["note"]?.string,
      isStarred: json["starred"]?.bool ?? false)
  }
}

extension RunMarks {
  /// The marks of a record; none in one that was made before there were marks.
  init(_ db: Database) throws {
    guard try db.tableExists("mark") else {
      self.init()
      return
    }
    let rows = try Row.fetchAll(db, sql: "SELECT kind, text FROM mark").map { CheckedRow($0, "mark") }
    func texts(_ kind: String) throws -> [String] {
      try rows.filter { try $0("kind") as String == kind }.map { try $0("text") }
    }
    self.init(tags: try texts("tag"), note: try texts("note").first, isStarred: try !texts("star").isEmpty)
  }

  fileprivate func write(_ db: Database) throws {
    try db.execute(sql: "DELETE FROM mark")
    let rows = tags.map { ("tag", $0) } + [note.map { ("note", $0) }, isStarred ? ("star", "") : nil].compactMap { $0 }
    for (kind, text) in rows {
      try db.execute(sql: "INSERT INTO mark (kind, text) VALUES (?, ?)", arguments: [kind, text])
    }
  }
}

extension Run {
  /// What people noted about the run.
  public func marks() throws -> RunMarks { try read { try RunMarks($0) } }

  /// Changes the marks of the run in `folder` in one transaction and returns them as they are then.
  ///
  /// - Throws: `usage` when there is no run, `data` when its record can't be read or written.
  @discardableResult
  public static func mark(_ folder: URL, _ change: (inout RunMarks) throws -> Void) throws -> RunMarks {
    let files = RunFolder(url: folder), file = files.database.path(percentEncoded: false)
    try files.checkRecord()
    return try withFaults(at: files.database) {
      var configuration = Configuration()
      configuration.busyMode = .timeout(10)
      let database = try DatabaseQueue(path: file, configuration: configuration)
      _ = try database.read { try Meta.identity($0, file: file) }
      try Schema.migrator.migrate(database)
      return try database.write { db in
        var marks = try RunMarks(db)
        try change(&marks)
        try marks.write(db)
        return marks
      }
    }
  }
}
