import Diagnostics
import Foundation
import Synchronization
import LuaAPI
import Testing
import nasrun

@Suite struct ProgressDisplayTests {
  private final class Screen: Sendable {
    private let text = Mutex("")
    func write(_ more: String) { text.withLock { $0 += more } }
    var all: String { text.withLock { $0 } }
  }

  private let screen = Screen()

  private func display(_ verbosity: Verbosity, terminal: Bool, width: Int = 80) -> ProgressDisplay {
    ProgressDisplay(verbosity, isTerminal: terminal, width: { width }, output: { [screen] in screen.write($0) })
  }

  private var progress: SearchState {
    var progress = SearchState(search: "climb")
    progress.done = 17
    progress.planned = 60
    progress.metric = "accuracy"
    progress.best = 91.25
    progress.elapsed = 83
    progress.remaining = 245
    progress.trial = 18
    progress.epoch = 2
    progress.epochs = 3
    return progress
  }

  @Test(arguments: [
    (100, "climb 17/60 · best accuracy 91.25 · 1 min 23 s · 4 min 5 s left · trial 18 epoch 2/3"),
    (70, "climb 17/60 · best accuracy 91.25 · 1 min 23 s · 4 min 5 s left"),
    (40, "climb 17/60 · best accuracy 91.25"), (12, "climb 17/60"), (5, "climb"),
  ])
  func theLineFitsTheWidth(_ width: Int, _ line: String) {
    #expect(ProgressText.line(progress, width: width) == line)
  }

  @Test func aTerminalHasOneLineThatMakesRoomForPrints() {
    let display = display(.normal, terminal: true, width: 40)
    display.update(progress)
    display.update(progress)  // too soon to draw again
    display.print { screen.write("hello\n") }
    display.finished(TrialSummary(number: 18, value: 92, seconds: 4.2), progress)
    display.close()
    let line = "\rclimb 17/60 · best accuracy 91.25\u{1b}[K"
    #expect(screen.all == line + "\r\u{1b}[K" + "hello\n" + line + "\r\u{1b}[K")
  }

  @Test func elsewhereEveryTrialHasALine() {
    let display = display(.normal, terminal: false)
    display.update(progress)
    display.finished(TrialSummary(number: 17, value: 89.5, details: "op=conv3", seconds: 4.2), progress)
    display.finished(TrialSummary(number: 18, failure: "out of memory (a.lua:3)", seconds: 1), progress)
    display.note("12 effects reused")
    display.close()
    #expect(
      screen.all == """
        climb 17/60: accuracy 89.5, best 91.25, 4.2 s
        climb 17/60: trial 18 failed: out of memory (a.lua:3)
        12 effects reused

        """)
  }

  @Test func verboseAddsDetailsAndQuietSaysNothing() {
    let trial = TrialSummary(number: 17, value: 89.5, details: "op=conv3", seconds: 4.2)
    display(.verbose, terminal: false).finished(trial, progress)
    #expect(screen.all == "climb 17/60: accuracy 89.5, best 91.25, 4.2 s, op=conv3\n")
    let quiet = display(.quiet, terminal: true)
    quiet.update(progress)
    quiet.finished(TrialSummary(number: 18, failure: "x", seconds: 1), progress)
    quiet.note("x")
    #expect(screen.all.hasSuffix("op=conv3\n"))
  }

  @Test(arguments: [(8.21, "8.2 s"), (59.97, "1 min 0 s"), (123.4, "2 min 3 s"), (3725, "1 h 2 min")])
  func durationsReadWell(_ seconds: Double, _ text: String) { #expect(Wording.duration(seconds) == text) }

  @Test(arguments: [(91.25, "91.25"), (0.83124, "0.8312"), (1_073_466, "1073466"), (12345.6, "12346"), (.nan, "nan")])
  func numbersReadWell(_ value: Double, _ text: String) { #expect(Wording.number(value) == text) }

  @Test func aMisspelledCommandIsExplained() {
    let fault = #expect(throws: Fault.self) { try RecipeFile.locate("shwo") }
    #expect(fault?.description == "no such file or command: 'shwo'. Did you mean 'nasrun show'?")
    #expect(fault?.code == .usage)
    let file = #expect(throws: Fault.self) { try RecipeFile.locate("none/such.lua") }
    #expect(file?.description == "no such file: 'none/such.lua'")
  }
}
