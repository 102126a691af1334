import Canonical
import Diagnostics
import Foundation
import RunStore
import SearchCore
import Testing

/// Records of every released schema open: `Tests/Fixtures/run-v<N>.sql` is the dump of one.
@Suite struct SchemaTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")

  private func restore(_ name: String) throws -> URL {
    let folder = fixture.runs.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try fixture.sqlite(folder, String(contentsOf: Self.fixtures.appending(path: name + ".sql"), encoding: .utf8))
    return folder
  }

  @Test func version1Opens() throws {
    let run = try Run.open(restore("run-v1"))
    #expect(run.identity.name == "old" && run.identity.seed == .max && run.status == .finished)
    let exact = try String(contentsOf: Self.fixtures.appending(path: "run-v1.exact.txt"), encoding: .utf8)
    #expect(try run.exactJournal() == exact)
    let trials = try run.trials()
    #expect(trials[3].failedAt == "hill.lua:12" && trials[3].metric("accuracy")?.isNaN == true)
    #expect(trials[4] == Fixture.trial(4))
    #expect(try run.searches().map(\.objectives) == [[Objective("accuracy", .max)]])
    #expect(try run.events().map(\.text) == ["hello"])
  }

  @Test func version2Opens() throws {
    let run = try Run.open(restore("run-v2"))
    #expect(try run.marks() == RunMarks(tags: ["demo", "good"], note: "the one for the paper", isStarred: true))
    let exact = try String(contentsOf: Self.fixtures.appending(path: "run-v1.exact.txt"), encoding: .utf8)
    #expect(try run.exactJournal() == exact)
  }

  @Test func version1TakesMarks() throws {
    let folder = try restore("run-v1")
    #expect(try Run.open(folder).marks() == RunMarks())
    let exact = try Run.open(folder).exactJournal()
    try Run.mark(folder) { $0 = RunMarks(tags: ["b", "a", "b"], note: "old", isStarred: true) }
    let run = try Run.open(folder)
    #expect(try run.marks().tags == ["a", "b"] && run.marks().note == "old" && run.marks().isStarred)
    #expect(try run.exactJournal() == exact)
  }

  @Test func version1IsContinued() throws {
    let folder = try restore("run-v1")
    try fixture.sqlite(folder, "UPDATE meta SET value = 'interrupted' WHERE key = 'status'")
    let run = try Run.open(folder, writing: true)
    try Fixture.fill(run, 5..<6)
    try run.finish(.finished)
    #expect(try Run.open(folder).trials().count == 6)
  }
}
