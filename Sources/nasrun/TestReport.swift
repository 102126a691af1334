import Canonical
import Foundation

/// What became of one test or check.
struct TestResult {
  enum Outcome: String { case passed, failed, note, pending, skipped }

  /// The words of a result, in the order in which they are shown.
  static let parts = ["at", "message", "did", "expected", "got", "mend"]

  let name: String
  let outcome: Outcome
  let seconds: Double
  let words: [String: String]
  /// Whether it only wasn't tried because another one failed, which is told of.
  let isWaiting: Bool

  init(_ json: JSONValue, seconds: Double) {
    name = json["name"]?.string ?? ""
    outcome = json["outcome"]?.string.flatMap(Outcome.init) ?? .failed
    self.seconds = seconds
    isWaiting = json["waits_for"] != nil
    words = (json.object ?? [:]).compactMapValues(\.string).filter { Self.parts.contains($0.key) }
  }

  /// `ok      name`, and what there is to say of one that isn't.
  var text: String {
    let mark =
      switch outcome {
      case .passed: "ok     "
      case .failed: "FAILED "
      case .note: "note   "
      case .pending: "pending"
      case .skipped: "skipped"
      }
    guard outcome != .passed else { return "  \(mark) \(name)" }
    let details = Self.parts.compactMap { part -> String? in
      guard let text = words[part] else { return nil }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let indented = lines.joined(separator: "\n" + String(repeating: " ", count: 22))
      return "            " + part.padding(toLength: 10, withPad: " ", startingAt: 0) + indented
    }
    return (["  \(mark) \(name)"] + details).joined(separator: "\n")
  }

  var json: JSONValue {
    var fields: [String: JSONValue] = words.mapValues(JSONValue.string)
    fields["name"] = .string(name)
    fields["outcome"] = .string(outcome.rawValue)
    fields["seconds"] = .number((seconds * 1000).rounded() / 1000)
    return .object(fields)
  }
}

/// All results of `nasrun test`, shown as they come, as JSON and as JUnit XML.
struct TestReport {
  /// What is printed on the way.
  enum Listener { case silent, failures, all }

  struct Part {
    var title: String
    var results: [TestResult] = []
  }

  private let listener: Listener
  let strict: Bool
  private(set) var parts: [Part] = []

  init(_ listener: Listener, strict: Bool) {
    self.listener = listener
    self.strict = strict
  }

  /// Begins a file or a suite; returns what shows its results.
  mutating func begin(_ title: String) -> (TestResult) -> Void {
    parts.append(Part(title: title))
    if listener == .all { print(title) }
    return { [listener, strict] result in
      let isBad = result.outcome == .failed || strict && result.outcome == .note
      guard listener == .all && !result.isWaiting || listener == .failures && isBad else { return }
      print(listener == .all ? result.text : "\(title)\n\(result.text)")
      fflush(nil)
    }
  }

  mutating func end(_ results: [TestResult]) { parts[parts.count - 1].results = results }

  /// Prints the count.
  func finish() {
    guard listener != .silent else { return }
    let others: [(TestResult.Outcome, String)] = [(.note, "noted"), (.pending, "pending"), (.skipped, "skipped")]
    let counts =
      ["\(count(.passed)) passed", "\(count(.failed)) failed"]
      + others.compactMap { outcome, word in count(outcome) > 0 ? "\(count(outcome)) \(word)" : nil }
    let none = "no test ran: tests are in describe and it; 'nasrun test --strategy FILE' is for a strategy"
    print(isEmpty ? none : counts.joined(separator: ", "))
  }

  /// Whether something failed, or nothing ran at all.
  var hasFailed: Bool { count(.failed) > 0 || strict && count(.note) > 0 || isEmpty }

  private var isEmpty: Bool { parts.allSatisfy(\.results.isEmpty) }

  private func count(_ outcome: TestResult.Outcome) -> Int {
    parts.reduce(0) { $0 + $1.results.count { $0.outcome == outcome } }
  }

  var json: JSONValue {
    .object([
      "schema": 1, "passed": .int(count(.passed)), "failed": .int(count(.failed)), "noted": .int(count(.note)),
      "pending": .int(count(.pending)), "skipped": .int(count(.skipped)),
      "parts": .array(
        parts.map { ["title": .string($0.title), "results": .array($0.results.map(\.json))] }),
    ])
  }
}
