import Foundation
import RunStore
import Testing

@Suite struct ConcurrencyTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  /// Runs that start in the same second in the same folder, while the list is asked for again and again.
  @Test func runsSideBySideDoNotDisturbEachOther() async throws {
    let runs = fixture.runs
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<6 {
        group.addTask {
          let run = try Run.create(
            in: runs, recipe: RecipeSource(file: "same.lua", folder: "/", text: ""), seed: 1, at: Fixture.noon)
          for number in 0..<15 { try Fixture.fill(run, number..<number + 1) }
          try run.finish(.finished)
        }
        group.addTask { for _ in 0..<10 { _ = try RunIndex.list(runs) } }
      }
      try await group.waitForAll()
    }
    let list = try RunIndex.list(runs)
    #expect(list.count == 6 && list.allSatisfy { $0.trials == 15 && $0.status == .finished && $0.problem == nil })
    let journals = try list.map { try Run.open($0.id, in: runs).exactJournal() }
    #expect(Set(journals).count == 1)
  }

  /// A reader that never rests neither stops the writer nor sees half a transaction.
  @Test func aHammeringReaderSeesPrefixes() throws {
    let run = try fixture.run()
    let folder = run.folder
    let done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      for number in 0..<100 { try? Fixture.fill(run, number..<number + 1) }
      done.signal()
    }
    var last = 0
    while done.wait(timeout: .now()) == .timedOut {
      let numbers = try Run.open(folder).trials().map(\.number)
      #expect(numbers == Array(0..<numbers.count) && numbers.count >= last)
      last = numbers.count
    }
    #expect(try Run.open(folder).trials().count == 100)
  }
}
