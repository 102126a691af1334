import Canonical
import Diagnostics
import Foundation
import RunStore
import Testing

@Suite struct ExactJournalTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test func isTheCanonicalTextOfWhatRepeats() throws {
    let run = try fixture.run()
    try Fixture.fill(run, 0..<1)
    #expect(
      try run.exactJournal() == """
        {"decision":"ask","request":0,"search":"evolution","value":{"arch":0}}
        {"architecture":"arch0","budget":{"epochs":3},"decisions":{"op":"conv3"},"failure":null,\
        "metrics":[["loss",1,1.0],["accuracy",null,50.0]],"repetition":0,"search":"evolution","status":"ok","trial":0}
        {"effect":"train","exact":{"accuracy":50.0},"key":"\(Fixture.effect(0).key)","occurrence":0}

        """)
  }

  @Test func observedValuesAndOrderDoNotCount() throws {
    let one = try fixture.run(), other = try fixture.run("another name", at: Date())
    try Fixture.fill(one, 0..<4, observed: 1)
    try Fixture.fill(other, 2..<4, observed: 7.5)
    other.note("print", "noise")
    try Fixture.fill(other, 0..<2, observed: 0.1)
    #expect(try one.exactJournal() == other.exactJournal())
    try Fixture.fill(other, 4..<5)
    #expect(try one.exactJournal() != other.exactJournal())
  }

  @Test func aResumedRunIsCheckedAgainstItsDecisions() throws {
    let folder = try fixture.closedRun()
    let run = try Run.open(folder, writing: true)
    let same = DecisionRecord(search: "evolution", kind: "ask", request: 1, value: ["arch": 1])
    try run.decide(same)
    var other = same
    other.value = ["arch": 9]
    let fault = #expect(throws: Fault.self) { try run.decide(other) }
    #expect(
      fault?.description.hasPrefix(
        #"evolution/ask 1: the recipe doesn't decide as it did before: expected {"arch":1}, got {"arch":9}. "#) == true)
    try run.finish(.interrupted)
    #expect(try Run.open(folder).decisions().count == 3)
  }

  @Test func aChildTakesItsParentsEffects() throws {
    let parent = try fixture.run("parent")
    try Fixture.fill(parent, 0..<3)
    try parent.finish(.finished)
    let folder: URL
    do {
      let child = try fixture.run("child", reuse: parent)
      folder = child.folder
      for number in 0..<4 {
        try child.decide(
          DecisionRecord(search: "evolution", kind: "ask", request: number, value: ["arch": .int(number)]))
        let found = try child.effect(kind: "train", key: Fixture.effect(number).key)
        #expect((found?.isParents == true) == (number < 3))
        var effect = found?.effect ?? Fixture.effect(number)
        effect.search = "evolution"
        try child.record(effect, trials: [Fixture.trial(number)])
        if number == 1 { break }
      }
      #expect(try child.reusedEffects() == 2)
    }
    // Resumed, it finds its parent again, and itself first.
    let child = try Run.open(folder, writing: true)
    #expect(try child.effect(kind: "train", key: Fixture.effect(0).key)?.isParents == false)
    #expect(try child.effect(kind: "train", key: Fixture.effect(2).key)?.isParents == true)
    try Fixture.fill(child, 2..<3)
    #expect(try child.exactJournal() == parent.exactJournal())
  }
}
