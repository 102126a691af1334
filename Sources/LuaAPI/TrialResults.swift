import Canonical
import RunStore
import SearchCore

extension TrialRecord {
  /// The row of a finished trial from the recorded effect; with constraints it has the metric `violation`, 0 when they
  /// are kept.
  func completed(by effect: EffectRecord, under constraints: [Constraint]) -> TrialRecord {
    var row = self
    row.failure = (effect.exact["failed"] ?? effect.observed["failed"])?.string
    row.failedAt = effect.observed["failed_at"]?.string
    row.status = row.failure == nil ? .ok : .failed
    row.finished = row.started + effect.activeSeconds
    for (part, isExact) in [(effect.exact, true), (effect.observed, false)] {
      for report in part["reports"]?.array ?? [] {
        row.metrics += Self.numbers(report["metrics"]).map {
          MetricRecord($0, $1, epoch: report["epoch"]?.int, exact: isExact)
        }
      }
    }
    row.metrics += Self.numbers(effect.exact["metrics"]).map { MetricRecord($0, $1) }
    row.metrics += Self.numbers(effect.observed["metrics"]).map { MetricRecord($0, $1, exact: false) }
    if !constraints.isEmpty, row.failure == nil {
      let metrics = Dictionary(row.metrics.filter { $0.epoch == nil }.map { ($0.name, $0.value) }) { $1 }
      row.metrics.append(MetricRecord("violation", constraints.violation(in: metrics), exact: false))
    }
    return row
  }

  /// Numbers by name, in the order of the names; NaN and infinities survive their text form.
  static func numbers(_ json: JSONValue?) -> [(String, Double)] {
    (json?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, value in value.double.map { (name, $0) } }
  }
}

extension EffectResult {
  /// A trial's result as scripts get it: `{ exact, observed, seconds, replayed, key }`.
  func trial(key: String) -> JSONValue {
    let exact = record.exact, observed = record.observed
    func metrics(_ json: JSONValue?) -> JSONValue {
      .object(Dictionary(TrialRecord.numbers(json).map { ($0, JSONValue.number($1)) }) { first, _ in first })
    }
    let reports = (exact["reports"] ?? observed["reports"])?.array ?? []
    var fields: [String: JSONValue] = ["metrics": metrics(exact["metrics"])]
    fields["failed"] = exact["failed"] ?? observed["failed"]
    fields["reports"] = .array(
      reports.map { ["epoch": $0["epoch"] ?? .null, "metrics": metrics($0["metrics"])] })
    return [
      "exact": .object(fields), "observed": ["metrics": metrics(observed["metrics"])],
      "seconds": .number(record.activeSeconds), "replayed": .bool(isReplayed), "key": .string(key),
    ]
  }
}
