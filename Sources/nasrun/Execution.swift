import Diagnostics
import Foundation
import LuaAPI
import LuaHost
import RunStore
import Synchronization

/// Runs a session with the progress display, Ctrl-C and the closing words.
struct Execution {
  private let options: SessionOptions
  private let verbosity: Verbosity
  private let trace: Bool

  /// - Parameter trace: show the calls that led to an error.
  init(_ options: SessionOptions, _ verbosity: Verbosity, trace: Bool = false) {
    self.options = options
    self.verbosity = verbosity
    self.trace = trace
  }

  init(_ options: SessionOptions, _ shown: ExecutionOptions) {
    self.init(options, shown.verbosity, trace: shown.trace)
  }

  /// Runs the recipe to its end on a thread with a large stack.
  func run() throws -> RecipeRunner.Outcome {
    let job = Job(options: options, trace: trace, display: ProgressDisplay(verbosity))
    return try LuaHost.onBigStack { UncheckedOutcome(try job.run()) }.outcome
  }
}

/// An outcome on its way from the recipe's thread, which is over by then.
private struct UncheckedOutcome: @unchecked Sendable {
  let outcome: RecipeRunner.Outcome
  init(_ outcome: RecipeRunner.Outcome) { self.outcome = outcome }
}

/// All of an execution; used on the recipe's thread only.
private final class Job: @unchecked Sendable {
  private let options: SessionOptions
  private let trace: Bool
  private let display: ProgressDisplay

  init(options: SessionOptions, trace: Bool, display: ProgressDisplay) {
    self.options = options
    self.trace = trace
    self.display = display
  }

  func run() throws -> RecipeRunner.Outcome {
    let observer = DisplayObserver(display)
    let runner = try RecipeRunner(options, observer: observer)
    Interruption.install(runner.cancellation)
    defer {
      display.close()
      Interruption.remove()
    }
    do {
      let outcome = try runner.run()
      if let id = outcome.id { observer.noted("run \(id) is finished") }
      return outcome
    } catch {
      display.close()
      if trace { FileHandle.standardError.write(Data((runner.traceback + "\n").utf8)) }
      if let id = runner.runID, let fault = error as? Fault {
        if fault.code == .interrupted {
          throw Fault(
            .interrupted, "interrupted; nothing recorded is lost",
            hint: "Go on with: nasrun resume \(words(for: runner.runFolder, id: id))")
        }
        observer.noted("run \(id) is kept; after mending the cause: \(again(reusing: id))")
      }
      throw error
    }
  }

  /// How to name the run to `resume`: by its id where that finds it, else by its path.
  private func words(for folder: URL?, id: String) -> String {
    let expected = options.runs.appending(path: id).standardizedFileURL.resolvingSymlinksInPath().path
    guard let folder, folder.standardizedFileURL.resolvingSymlinksInPath().path != expected else {
      return id + placeOption
    }
    return Wording.shell(folder.path(percentEncoded: false))
  }

  /// The command that runs the recipe again on what is recorded.
  private func again(reusing id: String) -> String {
    let path = URL(filePath: options.recipe.folder).appending(path: options.recipe.file).path(percentEncoded: false)
    let here = options.workingFolder + "/"
    let shown = path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
    return "nasrun \(Wording.shell(shown)) --reuse \(id)\(placeOption)"
  }

  /// How to name the folder of runs where it isn't the usual one.
  private var placeOption: String {
    options.runs.relativePath == "runs" ? "" : " --runs \(Wording.shell(options.runs.relativePath))"
  }
}

/// Shows what a session tells.
private final class DisplayObserver: RunObserver {
  private let display: ProgressDisplay

  init(_ display: ProgressDisplay) { self.display = display }

  func printed(_ line: String) { display.print { print(line) } }
  func noted(_ text: String) { display.note(text) }
  func progressed(_ progress: SearchState) { display.update(progress) }

  func finished(_ trial: TrialSummary, _ progress: SearchState) {
    if trial.isReplayed { display.update(progress) } else { display.finished(trial, progress) }
  }
}

/// Ctrl-C and the ends that a system asks for: the first finishes the batch at work, the second ends at once.
private enum Interruption {
  private static let current = Mutex<LuaCancellation?>(nil)
  private static let asked = Atomic<Bool>(false)

  static func install(_ cancellation: LuaCancellation) {
    current.withLock { $0 = cancellation }
    for number in signals { signal(number) { _ in Interruption.interrupt() } }
    // A parent may have blocked them.
    var set = sigset_t()
    sigemptyset(&set)
    for number in signals { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Those that ask for the end; not the loss of the terminal under `nohup`.
  private static let signals: [Int32] = {
    var hangup = sigaction()
    sigaction(SIGHUP, nil, &hangup)
    let isIgnored = unsafeBitCast(hangup.__sigaction_handler.sa_handler, to: Int.self) == 1
    return [SIGINT, SIGTERM] + (isIgnored ? [] : [SIGHUP])
  }()

  static func remove() {
    for number in signals { signal(number, SIG_DFL) }
    current.withLock { $0 = nil }
  }

  private static func interrupt() {
    if asked.exchange(true, ordering: .relaxed) { _exit(130) }
    let words = "\nFinishing the batch at work; Ctrl-C again ends at once.\n"
    _ = words.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    _ = current.withLockIfAvailable { $0?.cancel() }
  }
}
