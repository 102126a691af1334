import Canonical
import Diagnostics
import Foundation
import RunStore
import SearchCore
import Testing

@Suite struct DurabilityTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test func whatWasRecordedIsReadBack() throws {
    let folder = try fixture.closedRun()
    let run = try Run.open(folder)
    for number in 0..<3 {
      let expected = Fixture.effect(number)
      let found = try run.effect(kind: "train", key: expected.key)
      #expect(found?.effect == expected && found?.isParents == false)
    }
    #expect(try run.effect(kind: "train", key: Fixture.effect(0).key, occurrence: 1) == nil)
    #expect(try run.trials() == (0..<3).map { Fixture.trial($0) })
    #expect(try run.decisions().map(\.request) == [0, 1, 2])
    #expect(run.activeSeconds == 3 && run.status == .interrupted && run.reason == "Ctrl-C")
  }

  @Test func numbersThatJSONCanNotHoldSurvive() throws {
    let values: [Double] = [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, 1.0]
    let run = try fixture.run()
    var trial = Fixture.trial(1)
    trial.metrics = values.enumerated().map { MetricRecord("m\($0)", $1) }
    try run.record([trial])
    try run.finish(.interrupted)
    let back = try Run.open(run.folder).trials()[0].metrics.map(\.value)
    #expect(back[0].isNaN && Array(back[1...]) == Array(values[1...]))
    #expect(try run.exactJournal().contains(#"["m0",null,"NaN"],["m1",null,"Infinity"],["m2",null,"-Infinity"]"#))
  }

  @Test func aFailedTrialKeepsItsReasonAndItsLine() throws {
    let run = try fixture.run()
    var trial = Fixture.trial(1)
    trial.status = .failed
    trial.failure = "loss is NaN after epoch 2"
    trial.failedAt = "hill.lua:12"
    try run.record(Fixture.effect(1), trials: [trial])
    try run.finish(.failed, reason: "because")
    #expect(try Run.open(run.folder).trials() == [trial])
  }

  @Test func aRunningTrialIsSeenAndReplaced() throws {
    let run = try fixture.run()
    var trial = Fixture.trial(1)
    trial.metrics = []
    trial.finished = nil
    try run.begin(trial)
    #expect(try Run.open(run.folder).trials().map(\.status) == [.running])
    #expect(try run.exactJournal() == "")
    try run.begin(trial)
    try run.record(Fixture.effect(1), trials: [Fixture.trial(1)])
    #expect(try Run.open(run.folder).trials() == [Fixture.trial(1)])
  }

  @Test func readersSeeWholeTransactionsWhileItIsWritten() throws {
    let run = try fixture.run()
    for number in 0..<20 {
      try Fixture.fill(run, number..<number + 1)
      let reader = try Run.open(run.folder)
      #expect(try reader.trials().count == number + 1 && reader.status == .running)
    }
  }

  @Test func eventsAndSearchesAreKept() throws {
    let run = try fixture.run()
    run.note("print", "hello")
    var search = SearchRecord(
      name: "s", objectives: [Objective("accuracy", .max), Objective("latency_ms", .min)], planned: 5)
    try run.record(search)
    search.stopReason = "5 trials"
    try run.record(search)
    #expect(try run.searches() == [search])
    #expect(try run.events().map(\.text) == ["hello"])
  }

  @Test func theEndLeavesTextsForPeople() throws {
    let run = try fixture.run()
    run.note("warning", "few validation images")
    try run.record(SearchRecord(name: "evolution", objectives: []))
    var failed = Fixture.trial(2)
    failed.status = .failed
    failed.failure = #"said "no", twice"#
    failed.metrics = [MetricRecord("accuracy", .nan)]
    try run.record([Fixture.trial(1), failed])
    try run.finish(.finished)
    let table = try String(contentsOf: run.folder.appending(path: "trials.csv"), encoding: .utf8)
    #expect(
      table == """
        search,number,architecture,status,failure,started,finished,accuracy,latency_ms,decisions
        evolution,1,arch1,ok,,1.0,2.0,51.0,1.0,"{""op"":""conv3""}"
        evolution,2,arch2,failed,"said ""no"", twice",2.0,3.0,nan,,"{""op"":""conv3""}"

        """)
    let log = try String(contentsOf: run.folder.appending(path: "log.txt"), encoding: .utf8)
    #expect(log.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ warning: few validation images\n/) != nil)
  }

  @Test func aResumeIsNoted() throws {
    let folder = try fixture.closedRun()
    _ = try Run.open(folder, writing: true)
    #expect(try Run.open(folder).events().map(\.kind) == ["resumed"])
  }

  @Test func thousandsOfLookupsInOneTransaction() throws {
    let run = try fixture.run()
    let trials = (1...2000).map { Fixture.trial($0) }
    try run.record(trials)
    try run.record(trials)
    #expect(try run.trials().count == 2000)
    var other = trials[7]
    other.metrics[1] = MetricRecord("accuracy", 0)
    let fault = #expect(throws: Fault.self) { try run.record([other]) }
    #expect(fault?.path == "evolution/trial 8" && fault?.message == "the recipe doesn't repeat what it did before")
  }

  @Test func readWithTheCommandLineTool() throws {
    let folder = try fixture.closedRun()
    let rows = try fixture.sqlite(
      folder,
      """
      SELECT trial.number, metric.value FROM trial JOIN metric ON metric.trial = trial.id
      WHERE metric.name = 'accuracy' ORDER BY 1; SELECT count(*) FROM effect; SELECT request FROM decision
      """)
    #expect(rows == "0|50.0\n1|51.0\n2|52.0\n3\n0\n1\n2\n")
  }
}
