import Canonical
import Foundation
import RunStore
import SearchCore

extension Comparison {
  /// The comparison for programs. Fields are only ever added within a schema.
  var json: JSONValue {
    [
      "schema": 1, "differing": .array(differing.map(JSONValue.string)), "axis": .string(axis.rawValue),
      "groups": .array(
        groups.map { group in
          [
            "label": .string(group.label), "settings": .object(group.settings),
            "runs": .array(
              group.runs.map { run in
                [
                  "id": .string(run.folder.lastPathComponent), "seed": .string(String(run.identity.seed)),
                  "status": .string(run.status.rawValue),
                ]
              }),
          ]
        }), "searches": .array(searches.map(\.json)),
    ]
  }
}

extension ComparedSearch {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "objective": .string(objective.name), "direction": .string(objective.direction.rawValue),
      "groups": .array(
        rows.map { row in
          [
            "label": .string(row.group.label), "best": row.best.json, "median": row.median.json,
            "trials": row.trials.json, "failed": row.failed.json, "active_seconds": row.time.json,
            "trial_seconds": row.cost.json,
            "best_so_far": .array(
              row.curve.changes.map { x, best in
                ["x": .number(x), "mean": .number(best.mean), "std": best.deviation.map(JSONValue.number) ?? .null]
              }),
          ]
        }),
    ]
  }
}
