import Diagnostics
import Foundation
import RunStore
import SearchCore
import Testing

@Suite struct RunIndexTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  private var index: URL { fixture.runs.appending(path: "nasrun.sqlite") }

  @Test func aLineSaysHowARunStands() throws {
    let run = try fixture.run("hill")
    try Fixture.fill(run, 0..<3)
    var failed = Fixture.trial(3)
    failed.status = .failed
    failed.metrics = [MetricRecord("accuracy", 1000)]
    try run.record(Fixture.effect(3), trials: [failed])
    let line = try #require(RunIndex.list(fixture.runs).first)
    #expect(line.name == "hill" && line.recipe == "hill.lua" && line.status == .running)
    #expect(line.trials == 4 && line.failedTrials == 1 && line.planned == 10)
    #expect(line.metric == "accuracy" && line.best == 52)
    #expect(line.started == Fixture.noon.timeIntervalSince1970 && line.activeSeconds == 3)
    try Fixture.fill(run, 4..<5)
    try run.finish(.finished)
    let later = try #require(RunIndex.list(fixture.runs).first)
    #expect(later.trials == 5 && later.best == 54 && later.status == .finished)
  }

  @Test func isMadeAnewWhenMissingOrDamaged() throws {
    _ = try fixture.closedRun("one")
    _ = try fixture.closedRun("two")
    let list = try RunIndex.list(fixture.runs)
    #expect(list.map(\.name) == ["one", "two"])
    try FileManager.default.removeItem(at: index)
    #expect(try RunIndex.list(fixture.runs) == list)
    try Data("garbage garbage garbage garbage".utf8).write(to: index)
    #expect(try RunIndex.list(fixture.runs) == list)
    #expect(try Data(contentsOf: index).starts(with: Data("SQLite format 3".utf8)))
    try FileManager.default.removeItem(at: index)
    try FileManager.default.createDirectory(at: index, withIntermediateDirectories: false)
    #expect(try RunIndex.list(fixture.runs) == list)
  }

  @Test func forgetsRunsThatAreGone() throws {
    let folder = try fixture.closedRun("one")
    _ = try fixture.closedRun("two")
    _ = try RunIndex.list(fixture.runs)
    try FileManager.default.removeItem(at: folder)
    #expect(try RunIndex.list(fixture.runs).map(\.name) == ["two"])
  }

  @Test func aRunIsFoundByIdPrefixNamePathAndLast() throws {
    let first = try fixture.closedRun("first")
    let run = try fixture.run("second", at: Fixture.noon + 60)
    func found(_ text: String) throws -> String { try RunIndex.find(text, in: fixture.runs).lastPathComponent }
    #expect(try found(run.identity.id) == run.identity.id)
    #expect(try found(String(run.identity.id.dropLast(3))) == run.identity.id)
    #expect(try found("first") == first.lastPathComponent)
    #expect(try found("last") == run.identity.id)
    #expect(try found(first.path(percentEncoded: false)) == first.lastPathComponent)
  }

  @Test func aWrongNameIsExplained() throws {
    _ = try fixture.closedRun("first")
    _ = try fixture.closedRun("first")
    let ambiguous = #expect(throws: Fault.self) { try RunIndex.find("first", in: fixture.runs) }
    #expect(ambiguous?.message == "'first' names 2 runs" && ambiguous?.code == .usage)
    let misspelled = #expect(throws: Fault.self) { try RunIndex.find("frist", in: fixture.runs) }
    #expect(misspelled?.hint == "Did you mean 'first'?")
    let empty = fixture.runs.appending(path: "empty")
    let none = #expect(throws: Fault.self) { try RunIndex.find("last", in: empty) }
    #expect(none?.message == "there are no runs")
  }

  @Test func aListOfFiftyThousandTrialsIsFast() throws {
    let run = try fixture.run()
    try run.record(SearchRecord(name: "evolution", objectives: [Objective("accuracy", .max)]))
    try run.record((1...50_000).map { Fixture.trial($0) })
    try run.finish(.finished)
    let clock = ContinuousClock()
    _ = try RunIndex.list(fixture.runs)
    var first: RunSummary?
    let fresh = try (0..<3).map { _ in
      try FileManager.default.removeItem(at: index)
      return try clock.measure { first = try RunIndex.list(fixture.runs).first }
    }.min()!
    let known = try clock.measure { _ = try RunIndex.list(fixture.runs) }
    print("listing 50,000 trials: \(fresh) when changed, \(known) when known")
    #expect(first?.trials == 50_000)
    #expect(fresh < .milliseconds(200) && known < .milliseconds(50))
  }
}
