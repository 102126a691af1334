import ArgumentParser
import Canonical
import RunStore

/// `nasrun ls`
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the runs with their status, trials and best value.")

  @OptionGroup var runs: RunsOption
  @Option(help: ArgumentHelp("Only runs with this tag; may be given more than once.", valueName: "tag"))
  var tag: [String] = []
  @Flag(help: "Only starred runs.") var starred = false
  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Only runs for which this holds: 'accuracy > 90 and epochs = 3 and not tag = old'.", valueName: "condition"))
  var condition: String?
  @Option(
    help: ArgumentHelp(
      "Sort by \(RunField.names.joined(separator: ", ")), a metric or an argument of the recipe.", valueName: "field"))
  var sort: String?
  @Flag(help: "The other way round.") var reverse = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let all = try RunIndex.list(runs.url), list = try selected(all)
    if json {
      print(JSONValue.object(["schema": 1, "runs": .array(list.map(\.json))]).text(pretty: true))
    } else if list.isEmpty {
      print(
        all.isEmpty ? "No runs in \(runs.path) yet." : "None of the \(all.count) runs in \(runs.path) is of that kind.")
    } else {
      print(Wording.printable(Self.table(list)))
      for run in list { run.problem.map { print("\(run.id): \($0)") } }
    }
  }

  /// The runs that were asked for, in the order that was asked for.
  private func selected(_ all: [RunSummary]) throws -> [RunSummary] {
    var list = all.filter { run in
      (run.marks.isStarred || !starred) && tag.allSatisfy(run.marks.tags.contains)
    }
    if let filter = try condition.map({ try RunFilter($0) }) {
      for field in filter.fields { try RunField.check(field, in: all) }
      list = list.filter(filter.holds)
    }
    if let sort {
      try RunField.check(sort, in: all)
      list = Self.sorted(list, by: sort)
    }
    return reverse ? list.reversed() : list
  }

  /// Ascending; numbers before texts, and runs without a value last.
  static func sorted(_ runs: [RunSummary], by field: String) -> [RunSummary] {
    func key(_ run: RunSummary) -> (Int, Double, String, Double, String) {
      guard let value = RunField.values(of: field, in: run).first else { return (2, 0, "", run.started, run.id) }
      let rank = value.double == nil ? 1 : 0
      return (rank, value.double ?? 0, value.string ?? value.text(), run.started, run.id)
    }
    return runs.map { (key($0), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  static func table(_ runs: [RunSummary]) -> String {
    let hasTags = runs.contains { !$0.marks.tags.isEmpty }, hasNotes = runs.contains { $0.marks.note != nil }
    var table = TextTable(
      columns: [
        .left("RUN"), .left("RECIPE"), .left("STATUS"), .right("TRIALS"), .left("BEST"), .left("STARTED"),
        .right("TIME"),
      ] + (hasTags ? [.left("TAGS")] : []) + (hasNotes ? [.left("NOTE")] : []))
    table.rows = runs.map { run in
      let marks =
        (hasTags ? [run.marks.tags.joined(separator: " ")] : []) + (hasNotes ? [Self.line(run.marks.note)] : [])
      let id = run.id + (run.marks.isStarred ? " ★" : "")
      if run.problem != nil { return [id, "", "unreadable", "", "", "", ""] + marks }
      return [
        id, run.recipe, run.status.rawValue, Wording.progress(run.trials, of: run.planned),
        run.best.map { "\(run.metric ?? "") \(Wording.number($0))" } ?? "", Wording.time(run.started),
        Wording.duration(run.activeSeconds),
      ] + marks
    }
    return table.text
  }

  /// The first line of a note, cut to 48 characters.
  private static func line(_ note: String?) -> String {
    let line = note?.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    return line.count <= 48 ? line : line.prefix(47) + "…"
  }
}

extension RunSummary {
  /// The line of `nasrun ls --json`; `best` is null until there is one.
  var json: JSONValue {
    if let problem { return ["id": .string(id), "status": "unreadable", "problem": .string(problem)] }
    let best: JSONValue = best.map { ["metric": .string(metric ?? ""), "value": .number($0)] } ?? .null
    return .object([
      "id": .string(id), "name": .string(name), "recipe": .string(recipe), "status": .string(status.rawValue),
      "reason": reason.map(JSONValue.string) ?? .null, "trials": .int(trials), "failed_trials": .int(failedTrials),
      "planned_trials": planned.map(JSONValue.int) ?? .null, "best": best, "started": .number(started),
      "active_seconds": .number(activeSeconds), "arguments": arguments, "seed": .string(String(seed)),
      "tags": .array(marks.tags.map(JSONValue.string)), "note": marks.note.map(JSONValue.string) ?? .null,
      "starred": .bool(marks.isStarred),
    ])
  }
}
