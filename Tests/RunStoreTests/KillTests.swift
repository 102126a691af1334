import Foundation
import RunStore
import Testing

@Suite struct KillTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  /// Kills a writer again and again at moments it can't foresee; each time the record opens and is a prefix, and in
  /// the end it is identical to one that was never disturbed.
  @Test(.timeLimit(.minutes(20))) func aKilledWriterLeavesAPrefix() async throws {
    let folder = try fixture.closedRun("victim", trials: 0)
    var done = 0
    for attempt in 0..<20 {
      let delay = 5000 + attempt * 7919 % 90_000
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [
          path = folder.path(percentEncoded: false) as String, delay = delay as Int
        ] in
        let run = try Run.open(URL(filePath: path), writing: true)
        Thread.detachNewThread {
          usleep(UInt32(delay))
          kill(getpid(), SIGKILL)
        }
        try Fixture.fill(run, run.trials().count..<100_000)
      }
      let run = try Run.open(folder)
      let numbers = try run.trials().map(\.number)
      #expect(numbers == Array(0..<numbers.count) && numbers.count >= done)
      #expect(try run.effects().count == numbers.count && run.decisions().count == numbers.count)
      #expect(run.status == .interrupted && run.reason == "the process ended without a word")
      done = numbers.count
    }
    #expect(done > 100)
    let run = try Run.open(folder, writing: true), undisturbed = try fixture.run()
    try Fixture.fill(run, done..<done + 10)
    try Fixture.fill(undisturbed, 0..<done + 10)
    #expect(try run.exactJournal() == undisturbed.exactJournal())
  }
}
