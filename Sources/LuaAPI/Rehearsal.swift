import Canonical
import Diagnostics
import Foundation
import LuaHost
import RunStore
import Synchronization

/// One throwaway run of a file in a VM of its own, on a thread of its own: ended and resumed where asked, and ended for
/// good when it takes too long. Nothing of it is left on the disk.
final class Rehearsal: @unchecked Sendable {
  private var options: SessionOptions
  /// After how many finished trials the run is interrupted and resumed, ascending.
  private let interruptions: [Int]
  private let seconds: Double
  /// Whether the one who asked for the rehearsal was cancelled meanwhile.
  private let isUnwanted: () -> Bool
  private let isLate = Atomic<Bool>(false)
  private var printed: [JSONValue] = []
  private var resumed = 0

  init(_ options: SessionOptions, interruptions: [Int], seconds: Double, isUnwanted: @escaping () -> Bool) {
    self.options = options
    self.interruptions = interruptions
    self.seconds = seconds
    self.isUnwanted = isUnwanted
  }

  /// What came of it: `returned` or `fault`; `journal`, the digest of the exact journal; `requests` by search; `printed`,
  /// `resumed`, `late`.
  func run() throws -> JSONValue {
    let folder = FileManager.default.temporaryDirectory.appending(path: "nasrun-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    options.runs = folder
    return try LuaHost.onBigStack { try self.perform(in: folder) }
  }

  private func perform(in folder: URL) throws -> JSONValue {
    let end = Date(timeIntervalSinceNow: seconds)
    while true {
      let stop = interruptions.dropFirst(resumed).first
      let result = try attempt(until: stop, by: end)
      if case .failure(let fault) = result, fault.code == .interrupted, stop != nil, !isLate.load(ordering: .relaxed),
        !isUnwanted(), FileManager.default.fileExists(atPath: folder.path)
      {
        resumed += 1
        options.resuming = try Run.open("last", in: folder, writing: true)
      } else {
        return try report(result, in: folder)
      }
    }
  }

  /// Runs the file until it ends or until so many trials have finished.
  private func attempt(until stop: Int?, by end: Date) throws -> Result<JSONValue, Fault> {
    let witness = Witness(stop: stop, isUnwanted: isUnwanted)
    let runner = try RecipeRunner(options, observer: witness)
    options.resuming = nil
    let cancellation = runner.cancellation
    witness.cancellation = cancellation
    let alarm = DispatchWorkItem { [self] in
      isLate.store(true, ordering: .relaxed)
      cancellation.cancel()
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + max(0, end.timeIntervalSinceNow), execute: alarm)
    defer {
      alarm.cancel()
      printed += witness.lines.map(JSONValue.string)
    }
    do {
      return .success(try runner.run().returned)
    } catch let fault as Fault {
      return .failure(fault)
    }
  }

  /// What each search asked for, in order: the decisions and the budget as text.
  private static func requests(of run: Run) throws -> [String: [String]] {
    var texts: [String: [Int: String]] = [:], requests: [String: [String]] = [:]
    for trial in try run.trials() {
      let budget = trial.budget.object?.isEmpty == false ? " " + trial.budget.text() : ""
      texts[trial.search, default: [:]][trial.number] = trial.decisions.text() + budget
    }
    for decision in try run.decisions() {
      let number = (decision.value["trial"] ?? decision.value["reuse"])?.int
      let text = number.flatMap { texts[decision.search]?[$0] } ?? decision.value["arch"]?.string
      if let text { requests[decision.search, default: []].append(text) }
    }
    return requests
  }

  private func report(_ result: Result<JSONValue, Fault>, in folder: URL) throws -> JSONValue {
    var fields: [String: JSONValue] = [
      "printed": .array(printed), "resumed": .int(resumed), "late": .bool(isLate.load(ordering: .relaxed)),
    ]
    if FileManager.default.fileExists(atPath: folder.path), let run = try? Run.open("last", in: folder) {
      fields["journal"] = .string(ContentDigest.of(try run.exactJournal()))
      fields["requests"] = .object(try Self.requests(of: run).mapValues { .array($0.map(JSONValue.string)) })
    }
    switch result {
    case .success(let value): fields["returned"] = value
    case .failure(let fault):
      let parts = [
        "code": fault.code.rawValue, "message": fault.message, "at": fault.at, "path": fault.path,
        "expected": fault.expected, "got": fault.got, "hint": fault.hint, "cause": fault.cause,
        "text": fault.description,
      ]
      fields["fault"] = .object(parts.compactMapValues { $0.map(JSONValue.string) })
    }
    return .object(fields)
  }
}

/// Counts the trials of a rehearsal and ends it in time.
private final class Witness: RunObserver {
  private let stop: Int?
  private let isUnwanted: () -> Bool
  private var trials = 0
  private(set) var lines: [String] = []
  var cancellation: LuaCancellation?

  init(stop: Int?, isUnwanted: @escaping () -> Bool) {
    self.stop = stop
    self.isUnwanted = isUnwanted
  }

  func printed(_ line: String) { if lines.count < 1000 { lines.append(line) } }
  func noted(_ text: String) {}
  func progressed(_ progress: SearchState) { if isUnwanted() { cancellation?.cancel() } }

  func finished(_ trial: TrialSummary, _ progress: SearchState) {
    trials += 1
    if trials == stop || isUnwanted() { cancellation?.cancel() }
  }
}
