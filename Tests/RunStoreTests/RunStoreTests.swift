import Canonical
import Diagnostics
import Foundation
import RunStore
import Testing

@Suite struct RunFolderTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test func idsAreDatedNamedAndUnique() throws {
    let first = try fixture.run("my search!"), second = try fixture.run("my search!")
    #expect(first.identity.id.wholeMatch(of: /\d{8}-\d{6}-my-search/) != nil)
    #expect(second.identity.id == first.identity.id + "-2")
    #expect(first.folder.lastPathComponent == first.identity.id)
  }

  @Test func keepsWhatItWasStartedWith() throws {
    let run = try fixture.run()
    try run.keep(module: "spaces.mine", text: "return {}\n")
    try run.keep(module: "spaces.mine", text: "return {}\n")
    try run.finish(.interrupted)
    let again = try Run.open(run.folder)
    #expect(again.identity == run.identity)
    #expect(again.identity.seed == .max && again.identity.arguments == ["epochs": 3, "rate": 0.5])
    #expect(try again.recipeText() == "return 1\n")
    #expect(try again.moduleText("spaces.mine") == "return {}\n")
    #expect(try again.moduleText("other") == nil)
    #expect(try again.sources() == ["lib/spaces/mine.lua", "recipe.lua"])
    let description = try JSONValue(
      parsing: Data(contentsOf: run.folder.appending(path: "run.json")), source: "run.json")
    #expect(description["schema"] == 1 && description["seed"] == "18446744073709551615")
  }

  @Test func refusesAnEditedText() throws {
    let run = try fixture.run()
    try "return 2\n".write(to: run.folder.appending(path: "recipe.lua"), atomically: true, encoding: .utf8)
    let fault = #expect(throws: Fault.self) { try run.recipeText() }
    #expect(fault?.message == "this text isn't what was run")
    let changed = #expect(throws: Fault.self) {
      try run.keep(module: "m", text: "1")
      try run.keep(module: "m", text: "2")
    }
    #expect(changed?.message == "the module changed while the run was away")
  }

  @Test func openedAfterAMove() throws {
    let folder = try fixture.closedRun()
    let moved = fixture.runs.appending(path: "moved")
    try FileManager.default.moveItem(at: folder, to: moved)
    #expect(try Run.open(moved).trials().count == 3)
    #expect(try RunIndex.list(fixture.runs).map(\.id) == ["moved"])
  }

  @Test func aSecondWriterIsToldWhoWrites() throws {
    let run = try fixture.run()
    let fault = #expect(throws: Fault.self) { try Run.open(run.folder, writing: true) }
    #expect(fault?.code == .usage && fault?.message == "another process is writing this run")
    #expect(fault?.got == "process \(getpid())")
    #expect(try Run.open(run.folder).status == .running)
  }

  @Test func aFinishedRunIsNotWritten() throws {
    let folder: URL
    do {
      let run = try fixture.run()
      try run.finish(.finished)
      folder = run.folder
    }
    let fault = #expect(throws: Fault.self) { try Run.open(folder, writing: true) }
    #expect(fault?.hint?.contains("--reuse") == true)
  }

  @Test func noFolderNoRun() throws {
    let fault = #expect(throws: Fault.self) { try Run.open(fixture.runs.appending(path: "none")) }
    #expect(fault?.message == "this folder holds no run")
  }
}
