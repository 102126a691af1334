import Foundation
import LuaAPI
import Synchronization

/// How much is told while a run is at work.
package enum Verbosity: Sendable {
  case quiet, normal, verbose
}

/// Tells on standard error how a run is getting on: one line that is redrawn in place on a terminal, else a line per
/// finished trial. What recipes print goes to standard output through `print`, so that the two don't mix on a screen.
package final class ProgressDisplay: Sendable {
  private struct State {
    var progress: SearchState?
    var isDrawn = false
    var lastDrawing = ContinuousClock.now - .seconds(1)
  }

  private let verbosity: Verbosity
  private let isTerminal: Bool
  private let width: @Sendable () -> Int
  private let output: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - isTerminal: whether standard error is one; found out by default.
  ///   - width: the terminal's columns, asked at each drawing because windows change.
  ///   - output: takes what belongs on standard error.
  package init(
    _ verbosity: Verbosity, isTerminal: Bool = isatty(STDERR_FILENO) == 1,
    width: @escaping @Sendable () -> Int = terminalWidth,
    output: @escaping @Sendable (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
  ) {
    self.verbosity = verbosity
    self.isTerminal = isTerminal
    self.width = width
    self.output = output
  }

  /// Shows where a search stands; at most ten times a second, whatever comes.
  package func update(_ progress: SearchState) {
    state.withLock { state in
      state.progress = progress
      guard isTerminal, verbosity != .quiet, ContinuousClock.now - state.lastDrawing >= .milliseconds(100) else {
        return
      }
      draw(&state)
    }
  }

  /// Tells that a trial ended.
  package func finished(_ trial: TrialSummary, _ progress: SearchState) {
    guard verbosity != .quiet else { return }
    state.withLock { state in
      state.progress = progress
      if !isTerminal || verbosity == .verbose || trial.failure != nil {
        say(ProgressText.line(trial, progress, verbose: verbosity == .verbose), &state)
      }
      if isTerminal { draw(&state) }
    }
  }

  /// Says a line that is worth reading in any case but a quiet one: a warning, what was reused.
  package func note(_ text: String) {
    guard verbosity != .quiet else { return }
    state.withLock { state in
      say(text, &state)
      if isTerminal, state.progress != nil { draw(&state) }
    }
  }

  /// Lets `body` write to standard output: takes the line away before, so that they don't mix.
  package func print(_ body: () -> Void) {
    state.withLock { state in
      clear(&state)
      body()
      fflush(nil)
    }
  }

  /// Takes the line away for good.
  package func close() {
    state.withLock { state in
      clear(&state)
      state.progress = nil
    }
  }

  private func say(_ line: String, _ state: inout State) {
    clear(&state)
    output(line + "\n")
  }

  /// One write, so that nothing flickers: back to the left, the line, erase what is left of the old one.
  private func draw(_ state: inout State) {
    guard let progress = state.progress else { return }
    output("\r" + ProgressText.line(progress, width: width() - 1) + "\u{1b}[K")
    state.isDrawn = true
    state.lastDrawing = .now
  }

  private func clear(_ state: inout State) {
    if state.isDrawn { output("\r\u{1b}[K") }
    state.isDrawn = false
  }
}

/// The columns of the terminal on standard error; 80 when it doesn't say.
@Sendable package func terminalWidth() -> Int {
  var size = winsize()
  return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
}

/// The words of the progress display.
package enum ProgressText {
  /// `evolution 17/60 · best accuracy 91.2 · trial 18 epoch 2/3 · 1 min 23 s · 4 min 5 s left`, with as many parts as
  /// fit into `width` columns.
  package static func line(_ progress: SearchState, width: Int) -> String {
    var parts = ["\(progress.search) \(progress.done)" + (progress.planned.map { "/\($0)" } ?? "")]
    if let metric = progress.metric, let best = progress.best { parts.append("best \(metric) \(Wording.number(best))") }
    parts.append(Wording.duration(progress.elapsed))
    if let remaining = progress.remaining { parts.append(Wording.duration(remaining) + " left") }
    if let trial = progress.trial {
      let epoch = progress.epoch.map { " epoch \($0)" + (progress.epochs.map { "/\($0)" } ?? "") }
      parts.append("trial \(trial)" + (epoch ?? ""))
    }
    while parts.count > 1, parts.joined(separator: " · ").count > width { parts.removeLast() }
    return String(parts.joined(separator: " · ").prefix(max(width, 0)))
  }

  /// `evolution 17/60: accuracy 89.3, best 91.2, 4.2 s`
  package static func line(_ trial: TrialSummary, _ progress: SearchState, verbose: Bool) -> String {
    let place = "\(progress.search) \(progress.done)" + (progress.planned.map { "/\($0)" } ?? "")
    if let failure = trial.failure { return "\(place): trial \(trial.number) failed: \(failure)" }
    var parts: [String] = []
    if let value = trial.value { parts.append("\(progress.metric ?? "value") \(Wording.number(value))") }
    if let best = progress.best { parts.append("best \(Wording.number(best))") }
    parts.append(Wording.duration(trial.seconds))
    if verbose, !trial.details.isEmpty { parts.append(trial.details) }
    return "\(place): " + parts.joined(separator: ", ")
  }
}
