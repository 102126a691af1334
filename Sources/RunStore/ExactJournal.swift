import Canonical

extension Run {
  /// The canonical text of everything in the run that an equal run repeats bit for bit: one line of JSON per decision,
  /// trial and effect.
  ///
  /// Two runs are *identical* when these texts are equal bytes. Times, process ids, observed values and what was reused
  /// are not in it. The lines are ordered by content, because effects may finish in another order.
  public func exactJournal() throws -> String {
    let decisions = try decisions().map { decision in
      JSONValue.object([
        "decision": .string(decision.kind), "search": .string(decision.search), "request": .int(decision.request),
        "value": decision.value,
      ])
    }
    let trials = try trials().filter { $0.status != .running }.map(\.exactJSON)
    let effects = try effects().filter { $0.kind != EffectRecord.limitKind }.sorted {
      ($0.kind, $0.key, $0.occurrence) < ($1.kind, $1.key, $1.occurrence)
    }
    .map { effect in
      JSONValue.object([
        "effect": .string(effect.kind), "key": .string(effect.key), "occurrence": .int(effect.occurrence),
        "exact": effect.exact,
      ])
    }
    return (decisions + trials + effects).map { $0.text() + "\n" }.joined()
  }
}

extension TrialRecord {
  /// Whether it ended at a limit of time or memory, which another run may keep.
  var isOverLimit: Bool { metrics.contains { !$0.exact && $0.name.hasPrefix(EffectRecord.limitMetric) } }

  /// What an equal run repeats of a trial.
  var exactJSON: JSONValue {
    .object([
      "trial": .int(number), "search": .string(search), "architecture": .string(architecture),
      "decisions": decisions, "budget": budget, "repetition": .int(repetition),
      "status": isOverLimit ? .null : .string(status.rawValue),
      "failure": failure.flatMap { isOverLimit ? nil : .string($0) } ?? .null,
      "metrics": .array(metrics.filter(\.exact).map(\.json)),
    ])
  }
}

extension MetricRecord {
  /// `["accuracy", 3, 71.5]`: name, epoch or null, value.
  package var json: JSONValue { [.string(name), epoch.map(JSONValue.int) ?? .null, .number(value)] }
}
