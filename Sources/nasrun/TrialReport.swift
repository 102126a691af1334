import Canonical
import Diagnostics
import Foundation
import NeuralNet
import RunStore
import SearchCore

/// What `nasrun show RUN --trial N` tells about one trial, as values.
struct TrialReport {
  let run: Run
  let search: RunReport.Search
  let trial: TrialRecord
  let curves: LearningCurves
  /// The network that the run keeps of it; nil when it keeps none.
  let model: KeptModel?
  let graph: Graph?
  /// Whether the network was built again to be shown.
  let isRebuilt: Bool
  /// The text of the recipe's line that failed; nil when none is known.
  let failedLine: String?

  /// - Parameter rebuild: builds the network of a trial that the run doesn't keep; nil: it isn't shown then.
  init(
    _ run: Run, _ search: RunReport.Search, _ trial: TrialRecord, rebuild: (() throws -> Graph)? = nil
  ) throws {
    (self.run, self.search, self.trial) = (run, search, trial)
    curves = LearningCurves(trial)
    let kept = trial.status == .ok ? run.keptModel(of: trial.architecture, trialKey: try run.key(of: trial)) : nil
    model = kept
    let known = try kept.flatMap { kept in
      let source = kept.folder.appending(path: "architecture.json").path(percentEncoded: false)
      return try kept.description["graph"].map { try Graph(json: $0, source: source) }
    }
    graph = try known ?? rebuild?()
    isRebuilt = known == nil && graph != nil
    failedLine = trial.failedAt.flatMap { Self.line(at: $0, of: run) }
  }

  /// The line that a place such as `hill.lua:12` names, from the texts that the run keeps.
  private static func line(at place: String, of run: Run) -> String? {
    let parts = place.split(separator: ":")
    guard parts.count == 2, let number = Int(parts[1]), number > 0 else { return nil }
    let isRecipe = parts[0] == run.identity.recipe
    let text = isRecipe ? try? run.recipeText() : try? run.moduleText(String(parts[0].replacing(".lua", with: "")))
    let lines = text?.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.flatMap { number <= $0.count ? $0[number - 1].trimmingCharacters(in: .whitespaces) : nil }
  }

  /// The graph, or a `usage` fault that says why there is none to draw.
  func drawnGraph() throws -> Graph {
    if let graph { return graph }
    throw Fault(
      .usage, "there is no network of trial \(trial.number) to draw", path: search.record.name,
      expected: "a trial whose network the run keeps",
      hint: "Networks are kept when they are on the Pareto front; --rebuild has the recipe build this one again.")
  }
}

// MARK: - For people

extension TrialReport {
  var text: String {
    var parts = [header]
    if trial.status == .failed { parts.append(failure) }
    if let metrics { parts.append("metrics\n" + Self.indented(metrics)) }
    if !curves.isEmpty { parts.append("learning curves\n" + Self.indented(curves.text)) }
    parts.append("decisions\n" + Self.indented(Self.lines(of: trial.decisions).joined(separator: "\n")))
    if let graph { parts.append("network\n" + Self.indented(NetworkDrawing(graph).text)) }
    return parts.joined(separator: "\n\n")
  }

  private var header: String {
    var lines = [("architecture", trial.architecture), ("status", trial.status.rawValue)]
    if let text = model?.description["text"]?.string { lines.insert(("as text", text), at: 1) }
    lines.append(("budget", RunReport.fields(trial.budget)))
    if trial.repetition > 0 { lines.append(("repetition", String(trial.repetition))) }
    if let finished = trial.finished {
      let began = Wording.duration(trial.started)
      lines.append(("time", "\(Wording.duration(finished - trial.started)), begun after \(began) at work"))
    }
    lines.append(
      (
        "network",
        model.map { "kept in models/\($0.folder.lastPathComponent)" }
          ?? (isRebuilt ? "not kept; built again" : "not kept")
      ))
    lines.append(("environment", RunReport.fields(run.identity.environment)))
    let title = "trial \(trial.number) of \(search.record.name) in \(run.folder.lastPathComponent)"
    return RunReport.titled(title, lines)
  }

  private var failure: String {
    var lines = ["failed: " + (trial.failure ?? "no reason")]
    if let place = trial.failedAt { lines.append("  at \(place)" + (failedLine.map { ":  \($0)" } ?? "")) }
    return lines.joined(separator: "\n")
  }

  /// The final metrics; nil without any.
  private var metrics: String? {
    let final = trial.metrics.filter { $0.epoch == nil }
    guard !final.isEmpty else { return nil }
    let goals = Dictionary(search.record.objectives.map { ($0.name, $0.direction.rawValue) }) { first, _ in first }
    var table = TextTable(columns: [.left("METRIC"), .right("VALUE"), .left("GOAL"), .left("KIND")])
    table.rows = final.map { metric in
      [metric.name, Wording.number(metric.value), goals[metric.name] ?? "", metric.exact ? "exact" : "measured"]
    }
    return table.text
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n")
  }

  /// The decisions one by one: `blocks[2].op = "conv3"`.
  static func lines(of value: JSONValue, at path: String = "") -> [String] {
    switch value {
    case .object(let fields) where !fields.isEmpty:
      fields.sorted { $0.key < $1.key }.flatMap { lines(of: $0.value, at: path.isEmpty ? $0.key : "\(path).\($0.key)") }
    case .array(let values) where values.contains(where: { $0.object != nil || $0.array != nil }):
      values.enumerated().flatMap { lines(of: $0.element, at: "\(path)[\($0.offset + 1)]") }
    default: [path.isEmpty ? value.text() : "\(path) = \(value.text())"]
    }
  }
}

// MARK: - For programs

extension TrialReport {
  /// Fields are only ever added within a schema.
  var json: JSONValue {
    let network: JSONValue? = model.map { model in
      [
        "folder": .string(model.folder.path(percentEncoded: false)),
        "text": model.description["text"] ?? .null, "params": model.description["params"] ?? .null,
        "macs": model.description["macs"] ?? .null, "graph": model.description["graph"] ?? .null,
      ]
    }
    return .object([
      "schema": 1, "run": .string(run.folder.lastPathComponent), "search": .string(search.record.name),
      "objectives": search.record.objectivesJSON, "trial": trial.json,
      "failed_line": failedLine.map(JSONValue.string) ?? .null, "network": network ?? .null,
      "environment": run.identity.environment,
    ])
  }
}
