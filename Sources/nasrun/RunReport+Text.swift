import Canonical
import Foundation
import RunStore
import SearchCore

extension RunReport {
  /// The report for people.
  func text(listingTrials: Bool) -> String {
    var parts = [header]
    for search in searches { parts.append(search.text(listingTrials: listingTrials)) }
    parts.append("environment\n" + Self.listed(run.identity.environment))
    let folder = run.folder.path(percentEncoded: false)
    parts.append("files in \(folder)\n" + files.map { "  " + $0 }.joined(separator: "\n"))
    return parts.joined(separator: "\n\n")
  }

  private var header: String {
    let identity = run.identity
    var lines = [
      ("status", [run.status.rawValue, run.reason].compactMap { $0 }.joined(separator: ": ")),
      ("recipe", "\(identity.recipe) in \(identity.recipeFolder)"),
      ("arguments", Self.fields(identity.arguments)),
      ("seed", String(identity.seed)),
      ("started", "\(Wording.time(identity.created)), \(Wording.duration(run.activeSeconds)) at work"),
    ]
    if let parent = identity.parent { lines.append(("reused", "\(reusedEffects) effects of \(parent)")) }
    if !marks.tags.isEmpty { lines.append(("tags", marks.tags.joined(separator: " "))) }
    if let note = marks.note {
      lines.append(("note", note.replacing("\n", with: "\n" + String(repeating: " ", count: 15))))
    }
    let title = identity.name + (marks.isStarred ? " ★  " : "  ") + run.folder.lastPathComponent
    return Self.titled(title, lines)
  }

  /// A title over lines of a name and what it is.
  static func titled(_ title: String, _ lines: [(name: String, text: String)]) -> String {
    ([title] + lines.map { "  " + $0.name.padding(toLength: 13, withPad: " ", startingAt: 0) + $0.text })
      .joined(separator: "\n")
  }

  /// A field in each line, a list's items one after the other; what is empty is left out.
  private static func listed(_ value: JSONValue) -> String {
    let fields = (value.object ?? [:]).filter { $0.value != .null && $0.value.array?.isEmpty != true }
    return fields.sorted { $0.key < $1.key }.map { key, value in
      let text = value.array.map { $0.map { $0.string ?? $0.text() }.joined(separator: "; ") } ?? value.string
      return "  " + key.padding(toLength: max(13, key.count + 1), withPad: " ", startingAt: 0) + (text ?? value.text())
    }.joined(separator: "\n")
  }

  /// `data = "shapes", epochs = 3`
  static func fields(_ value: JSONValue) -> String {
    let fields = (value.object ?? [:]).sorted { $0.key < $1.key }
    return fields.isEmpty ? "none" : fields.map { "\($0.key) = \($0.value.text())" }.joined(separator: ", ")
  }
}

extension RunReport.Search {
  func text(listingTrials: Bool) -> String {
    let failed = trials.filter { $0.status == .failed }
    let done = trials.count { $0.status != .running }
    var lines = ["search \(record.name): \(record.stopReason.map { "stopped by \($0)" } ?? "not stopped")"]
    lines.append(
      "  \(Wording.progress(done, of: record.planned)) \(done == 1 && record.planned == nil ? "trial" : "trials")"
        + (failed.isEmpty ? "" : ", \(failed.count) failed"))
    lines += details
    if let best { lines += ["  best", table([best])] }
    if !front.isEmpty {
      let goals = record.objectives.map { "\($0.name) \($0.direction.rawValue)" }.joined(separator: ", ")
      lines += ["  Pareto front (\(goals))", table(front)]
    }
    if listingTrials, !trials.isEmpty {
      lines += ["  trials", table(trials)]
    } else {
      lines += failed.suffix(10).map { "  trial \($0.number) failed: \($0.complaint)" }
    }
    return lines.joined(separator: "\n")
  }

  /// The phases with why each ended, the constraints and the limits of trials, where there are some.
  private var details: [String] {
    let phases = (record.details["phases"]?.array ?? []).map { phase in
      let reason = phase["reason"]?.string.map { ": " + $0 } ?? ""
      return "  phase \(phase["phase"]?.string ?? "?"), \(Wording.count(phase["trials"]?.int ?? 0, "trial"))\(reason)"
    }
    let rules = ["constraints", "limits"].compactMap { name in
      record.details[name].flatMap { rule in
        [.null, .object([:]), .array([])].contains(rule) ? nil : "  \(name) \(rule.text())"
      }
    }
    return phases + rules
  }

  private func table(_ trials: [TrialRecord]) -> String {
    let names = metricNames
    var table = TextTable(
      columns: [.right("TRIAL"), .left("ARCHITECTURE")] + names.map { .right($0.uppercased()) }
        + [.left("STATUS"), .left("DECISIONS")])
    table.rows = trials.map { trial in
      let metrics = trial.finalMetrics
      return [String(trial.number), String(trial.architecture.prefix(12))]
        + names.map { metrics[$0].map(Wording.number) ?? "" }
        + [trial.status == .failed ? "failed: " + trial.complaint : trial.status.rawValue, trial.shortDecisions]
    }
    return table.text.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
  }
}

extension TrialRecord {
  /// Why the trial failed, with the recipe line.
  fileprivate var complaint: String { (failure ?? "no reason") + (failedAt.map { " (\($0))" } ?? "") }

  /// The decisions on one line, cut to 72 characters.
  fileprivate var shortDecisions: String {
    let text = decisions.string ?? decisions.text()
    return text.count <= 72 ? text : text.prefix(71) + "…"
  }
}
