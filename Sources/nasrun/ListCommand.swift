import ArgumentParser
import Canonical
import RunStore

/// `nasrun ls`
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the runs with their status, trials and best value.")

  @OptionGroup var runs: RunsOption
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let list = try RunIndex.list(runs.url)
    if json {
      print(JSONValue.object(["schema": 1, "runs": .array(list.map(\.json))]).text(pretty: true))
    } else if list.isEmpty {
      print("No runs in \(runs.path) yet.")
    } else {
      print(Self.table(list))
      for run in list { run.problem.map { print("\(run.id): \($0)") } }
    }
  }

  static func table(_ runs: [RunSummary]) -> String {
    var table = TextTable(columns: [
      .left("RUN"), .left("RECIPE"), .left("STATUS"), .right("TRIALS"), .left("BEST"), .left("STARTED"), .right("TIME"),
    ])
    table.rows = runs.map { run in
      if run.problem != nil { return [run.id, "", "unreadable", "", "", "", ""] }
      return [
        run.id, run.recipe, run.status.rawValue, Wording.progress(run.trials, of: run.planned),
        run.best.map { "\(run.metric ?? "") \(Wording.number($0))" } ?? "", Wording.time(run.started),
        Wording.duration(run.activeSeconds),
      ]
    }
    return table.text
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
      "active_seconds": .number(activeSeconds),
    ])
  }
}
