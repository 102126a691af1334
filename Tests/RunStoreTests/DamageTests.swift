import Diagnostics
import Foundation
import RunStore
import Testing

@Suite struct DamageTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  private let hint = ". Restore the folder from a copy, or start the recipe again."

  private func complaint(about folder: URL) throws -> String {
    let fault = #expect(throws: Fault.self) { try Run.open(folder) }
    #expect(fault?.code == .data)
    let file = folder.appending(path: "run.sqlite").path(percentEncoded: false)
    let text = (fault?.description ?? "").replacingOccurrences(of: file, with: "run.sqlite")
    // Checksums depend on the run's id and time.
    return text.replacing(/[0-9a-f]{12}/, with: "#").replacingOccurrences(of: hint, with: "")
  }

  @Test(arguments: [
    (
      "UPDATE journal SET exact = replace(exact, '51', '57') WHERE sequence = 4",
      "run.sqlite: journal row 4 is not what was written: expected checksum #, got #"
    ),
    (
      "UPDATE journal SET observed = '{}' WHERE sequence = 2",
      "run.sqlite: journal row 2 is not what was written: expected checksum #, got #"
    ),
    (
      "UPDATE metric SET value = 99 WHERE name = 'accuracy' AND trial = 2",
      "run.sqlite: journal row 4 is not what was written: expected checksum #, got #"
    ),
    (
      "UPDATE trial SET status = 'failed' WHERE number = 1",
      "run.sqlite: journal row 4 is not what was written: expected checksum #, got #"
    ),
    (
      "DELETE FROM metric WHERE id = 5",
      "run.sqlite: journal row 4 is not what was written: expected checksum #, got #"
    ),
    ("DELETE FROM journal WHERE sequence = 3", "run.sqlite: a journal row is missing: expected row 3, got row 4"),
    (
      "DELETE FROM journal WHERE sequence >= 5",
      "run.sqlite: a trial belongs to a journal row that is missing: expected journal row 6, got none"
    ),
    (
      "DELETE FROM journal WHERE sequence >= 5; DELETE FROM trial WHERE entry = 6",
      "run.sqlite: journal rows are missing at the end: expected 6 rows, got 4"
    ),
    (
      "UPDATE meta SET value = replace(value, 'hill.lua', 'dale.lua') WHERE key = 'identity'",
      "run.sqlite: journal row 1 is not what was written: expected checksum #, got #"
    ),
    (
      "UPDATE meta SET value = 'fine' WHERE key = 'status'",
      "run.sqlite: the run's status is damaged: expected one of running, finished, interrupted, failed, got fine"
    ),
    (
      "DROP TABLE metric",
      "run.sqlite: the run's record hasn't the tables it should have (no such table: metric)"
    ),
    (
      "INSERT INTO grdb_migrations VALUES ('v99: from the future')",
      "run.sqlite: a newer nasrun wrote this record. Update nasrun."
    ),
  ])
  func changedRowsAreNamed(_ change: String, _ message: String) throws {
    let folder = try fixture.closedRun()
    try fixture.sqlite(folder, change)
    #expect(try complaint(about: folder) == message)
  }

  @Test func aFlippedByteInTheFile() throws {
    let folder = try fixture.closedRun()
    let url = folder.appending(path: "run.sqlite")
    var data = try Data(contentsOf: url)
    let place = try #require(data.range(of: Data("{\"accuracy\":51.0}".utf8)))
    data[place.lowerBound + 13] ^= 1
    try data.write(to: url)
    #expect(
      try complaint(about: folder) == "run.sqlite: journal row 4 is not what was written: expected checksum #, got #")
  }

  @Test func aTruncatedFile() throws {
    let folder = try fixture.closedRun(trials: 200)
    let url = folder.appending(path: "run.sqlite")
    let data = try Data(contentsOf: url)
    try data.prefix(data.count / 2).write(to: url)
    #expect(
      try complaint(about: folder) == "run.sqlite: the run's record is damaged (database disk image is malformed)")
  }

  @Test(arguments: [
    (Data("not a database, but text of some length".utf8), "(file is not a database)"),
    (Data(), "expected nasrun's tables, got an SQLite database without them"),
  ])
  func somethingElse(_ content: Data, _ end: String) throws {
    let folder = try fixture.closedRun()
    try content.write(to: folder.appending(path: "run.sqlite"))
    let text = try complaint(about: folder)
    #expect(text.hasPrefix("run.sqlite: this is not a run's record: expected ") && text.hasSuffix(end))
  }

  /// Rows without a checksum are read with care.
  @Test func aSearchThatIsNoSearchIsNoCrash() throws {
    let folder = try fixture.closedRun()
    try fixture.sqlite(folder, "UPDATE search SET planned = x'00ff', objectives = '[7]'")
    let run = try Run.open(folder)
    let fault = #expect(throws: Fault.self) { try run.searches() }
    #expect(fault?.message == "column planned is not what was written" && fault?.code == .data)
    #expect(try RunIndex.list(fixture.runs)[0].problem?.contains("column planned") == true)
  }

  /// A list shows the rest and says what is wrong with this one.
  @Test func aListNamesIt() throws {
    let folder = try fixture.closedRun(), other = try fixture.closedRun("other")
    try Data("garbage garbage garbage".utf8).write(to: folder.appending(path: "run.sqlite"))
    let list = try RunIndex.list(fixture.runs)
    #expect(list.map(\.id) == [folder.lastPathComponent, other.lastPathComponent])
    #expect(list[0].problem?.contains("not a run's record") == true && list[1].problem == nil)
  }

  /// A log that was cut off (a copy made while the run was written) loses its end, never its middle.
  @Test func aCutWriteAheadLogIsAPrefix() throws {
    let run = try fixture.run()
    try Fixture.fill(run, 0..<30)
    let copy = fixture.runs.appending(path: "copy")
    try FileManager.default.copyItem(at: run.folder, to: copy)
    let log = copy.appending(path: "run.sqlite-wal")
    try? FileManager.default.removeItem(at: copy.appending(path: "run.sqlite-shm"))
    let data = try Data(contentsOf: log)
    try data.prefix(data.count * 2 / 3).write(to: log)
    let numbers = try Run.open(copy, writing: true).trials().map(\.number)
    #expect(!numbers.isEmpty && numbers.count < 30 && numbers == Array(0..<numbers.count))
  }
}
