import Canonical
import Foundation

/// One thing that `nasrun doctor` looked at.
struct Finding {
  /// What was looked at: `cpu`, `blas`.
  let name: String
  /// What was found, on one line.
  let text: String
  /// What is wrong; nil when nothing is.
  private(set) var problem: String?
  /// What to do, or what is missing without being wrong.
  private(set) var advice: String?

  init(_ name: String, _ text: String) { (self.name, self.text) = (name, text) }

  /// The same, as something that is wrong.
  func wrong(_ problem: String, advice: String) -> Finding {
    var copy = self
    (copy.problem, copy.advice) = (problem, advice)
    return copy
  }

  /// The same with a word on what could be better.
  func advising(_ advice: String) -> Finding {
    var copy = self
    copy.advice = advice
    return copy
  }

  var json: JSONValue {
    [
      "name": .string(name), "found": .string(text), "ok": .bool(problem == nil),
      "problem": problem.map { .string($0) } ?? .null, "advice": advice.map { .string($0) } ?? .null,
    ]
  }
}

extension [Finding] {
  /// A line for each, then what is wrong and what to do. It names no folder of the user's.
  var report: String {
    let width = map(\.name.count).max() ?? 0
    let lines = map { $0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.text }
    let problems = filter { $0.problem != nil }
    let advice = filter { $0.problem == nil && $0.advice != nil }.map { "note: \($0.name): \($0.advice ?? "")" }
    let wrong = problems.map { "WRONG: \($0.name): \($0.problem ?? ""). \($0.advice ?? "")" }
    let end = problems.isEmpty ? "All is well." : "\(problems.count) of \(count) wrong."
    return (lines + [""] + advice + wrong + [end]).joined(separator: "\n")
  }
}
