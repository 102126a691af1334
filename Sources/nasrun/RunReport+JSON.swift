import Canonical
import Foundation
import RunStore
import SearchCore

extension RunReport {
  /// The report for programs. Fields are only ever added within a schema.
  func json(listingTrials: Bool) -> JSONValue {
    let identity = run.identity
    return .object([
      "schema": 1, "id": .string(run.folder.lastPathComponent), "name": .string(identity.name),
      "recipe": .string(identity.recipe), "recipe_folder": .string(identity.recipeFolder),
      "arguments": identity.arguments, "seed": .string(String(identity.seed)), "environment": identity.environment,
      "parent": .optional(identity.parent), "reused_effects": .int(reusedEffects),
      "status": .string(run.status.rawValue), "reason": .optional(run.reason), "started": .number(identity.created),
      "finished": run.finished.map(JSONValue.number) ?? .null, "active_seconds": .number(run.activeSeconds),
      "folder": .string(run.folder.path(percentEncoded: false)), "files": .array(files.map(JSONValue.string)),
      "tags": .array(marks.tags.map(JSONValue.string)), "note": .optional(marks.note),
      "starred": .bool(marks.isStarred),
      "searches": .array(searches.map { $0.json(listingTrials: listingTrials) }),
    ])
  }
}

extension RunReport.Search {
  fileprivate func json(listingTrials: Bool) -> JSONValue {
    var fields: [String: JSONValue] = [
      "name": .string(record.name), "stop_reason": .optional(record.stopReason),
      "planned_trials": record.planned.map(JSONValue.int) ?? .null,
      "objectives": .array(
        record.objectives.map { ["name": .string($0.name), "direction": .string($0.direction.rawValue)] }),
      "details": record.details, "best": best?.json ?? .null, "pareto": .array(front.map(\.json)),
      "trials_done": .int(trials.count { $0.status != .running }),
      "trials_failed": .int(trials.count { $0.status == .failed }),
    ]
    if listingTrials { fields["trials"] = .array(trials.map(\.json)) }
    return .object(fields)
  }
}

extension TrialRecord {
  var json: JSONValue {
    let epochs = metrics.filter { $0.epoch != nil }.map(\.json)
    return .object([
      "number": .int(number), "architecture": .string(architecture), "decisions": decisions, "budget": budget,
      "repetition": .int(repetition), "status": .string(status.rawValue), "failure": .optional(failure),
      "failed_at": .optional(failedAt), "started": .number(started),
      "finished": finished.map(JSONValue.number) ?? .null,
      "metrics": .object(finalMetrics.mapValues(JSONValue.number)), "epochs": .array(epochs),
    ])
  }
}

extension JSONValue {
  fileprivate static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
}
