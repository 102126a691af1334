import Canonical
import Diagnostics
import RunStore

/// A condition on runs, as `ls --where` takes it: `accuracy > 90 and (tag = good or not status = failed)`.
///
/// Operators are `=`, `!=`, `<`, `<=`, `>`, `>=` and `~` (contains). A field is one of `RunField` or an argument of the
/// recipe; a text with spaces is quoted. `starred` may stand alone.
package indirect enum RunFilter: Equatable {
  case comparison(field: String, Comparison, literal: String)
  case flag(field: String)
  case all([RunFilter])
  case any([RunFilter])
  case not(RunFilter)

  package enum Comparison: String, CaseIterable {
    case notEqual = "!=", atMost = "<=", atLeast = ">=", equal = "=", below = "<", above = ">", contains = "~"
  }

  /// Reads a condition; a `usage` fault says what was expected where.
  package init(_ text: String) throws {
    var parser = FilterParser(text)
    self = try parser.condition()
    try parser.finish()
  }

  /// Whether a run fulfils the condition. What a run doesn't have fulfils no comparison but `!=`.
  func holds(for run: RunSummary) -> Bool {
    switch self {
    case .all(let parts): parts.allSatisfy { $0.holds(for: run) }
    case .any(let parts): parts.contains { $0.holds(for: run) }
    case .not(let part): !part.holds(for: run)
    case .flag(let field): RunField.values(of: field, in: run) == [.bool(true)]
    case .comparison(let field, .notEqual, let literal):
      !RunField.values(of: field, in: run).contains { Self.compare($0, .equal, literal) }
    case .comparison(let field, let comparison, let literal):
      RunField.values(of: field, in: run).contains { Self.compare($0, comparison, literal) }
    }
  }

  private static func compare(_ value: JSONValue, _ comparison: Comparison, _ literal: String) -> Bool {
    let text = value.string ?? value.text()
    if comparison == .contains { return text.lowercased().contains(literal.lowercased()) }
    if let a = value.double, let b = Double(literal) { return holds(a, comparison, b) }
    return holds(text, comparison, literal)
  }

  private static func holds<T: Comparable>(_ a: T, _ comparison: Comparison, _ b: T) -> Bool {
    switch comparison {
    case .equal: a == b
    case .notEqual: a != b
    case .below: a < b
    case .atMost: a <= b
    case .above: a > b
    case .atLeast: a >= b
    case .contains: false
    }
  }
}

/// What `ls` can compare and sort by.
package enum RunField {
  /// The fields that every run has.
  static let names = [
    "id", "name", "recipe", "status", "trials", "failed", "planned", "best", "metric", "started", "seconds", "seed",
    "tag", "note", "starred",
  ]

  /// The run's values of a field: none, one, or of `tag` any number. A metric's name stands for the best value of a run
  /// whose primary objective it is; any other name for the recipe's argument.
  package static func values(of field: String, in run: RunSummary) -> [JSONValue] {
    switch field {
    case "id": [.string(run.id)]
    case "name": [.string(run.name)]
    case "recipe": [.string(run.recipe)]
    case "status": [.string(run.problem == nil ? run.status.rawValue : "unreadable")]
    case "trials": [.int(run.trials)]
    case "failed": [.int(run.failedTrials)]
    case "planned": run.planned.map { [.int($0)] } ?? []
    case "best": run.best.map { [.number($0)] } ?? []
    case "metric": run.metric.map { [.string($0)] } ?? []
    case "started": [.number(run.started)]
    case "seconds": [.number(run.activeSeconds)]
    case "seed": [.string(String(run.seed))]
    case "tag": run.marks.tags.map(JSONValue.string)
    case "note": run.marks.note.map { [.string($0)] } ?? []
    case "starred": [.bool(run.marks.isStarred)]
    case run.metric: run.best.map { [.number($0)] } ?? []
    default: run.arguments[field].map { [$0] } ?? []
    }
  }

  /// Throws a `usage` fault when no run of the list could have such a field.
  static func check(_ field: String, in runs: [RunSummary]) throws {
    let others = runs.flatMap { [$0.metric].compactMap { $0 } + ($0.arguments.object ?? [:]).keys }
    guard !names.contains(field), !others.contains(field), !runs.isEmpty else { return }
    throw Fault(
      .usage, "no run has a field '\(field)'",
      hint: Suggestion.nearest(to: field, among: names + others).map { "Did you mean '\($0)'?" }
        ?? "There are \(names.joined(separator: ", ")), the metric of a run, and the arguments of its recipe.")
  }
}

extension RunFilter {
  /// The fields that it names.
  var fields: [String] {
    switch self {
    case .comparison(let field, _, _), .flag(let field): [field]
    case .all(let parts), .any(let parts): parts.flatMap(\.fields)
    case .not(let part): part.fields
    }
  }
}
