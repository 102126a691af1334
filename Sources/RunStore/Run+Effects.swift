import Canonical
import Diagnostics
import Foundation
import GRDB
import Synchronization

/// An effect found in a record.
public struct RecordedEffect: Sendable, Equatable {
  public var effect: EffectRecord
  /// Whether it is the parent's and not yet this run's: to take it, `record` it like one that was just computed. Its
  /// `reused` is then already true.
  public var isParents: Bool
}

extension Run {
  /// The recorded result for an effect's content, in this run or else in its parent; nil when it has to be computed.
  public func effect(kind: String, key: String, occurrence: Int = 0) throws -> RecordedEffect? {
    if let own = try ownEffect(kind: kind, key: key, occurrence: occurrence) {
      return RecordedEffect(effect: own, isParents: false)
    }
    guard var taken = try parent?.ownEffect(kind: kind, key: key, occurrence: occurrence) else { return nil }
    taken.reused = true
    taken.search = nil
    return RecordedEffect(effect: taken, isParents: true)
  }

  private func ownEffect(kind: String, key: String, occurrence: Int) throws -> EffectRecord? {
    try read { db in
      let statement = try db.cachedStatement(
        sql: "SELECT * FROM journal WHERE entry = 'effect' AND kind = ? AND key = ? AND occurrence = ?")
      return try Row.fetchOne(statement, arguments: [kind, key, occurrence]).map {
        try EffectRecord(row: $0, source: file)
      }
    }
  }

  /// Writes an effect and what belongs to it in one transaction that is on the disk when this returns.
  ///
  /// Pending decisions and events are written with it. The script may see the result only after this.
  ///
  /// - Parameter trials: the trials that the effect completes; each replaces its `running` row.
  /// - Throws: `limit` when the disk is full or unwritable; `internal` when this effect is already recorded.
  public func record(_ effect: EffectRecord, trials: [TrialRecord] = [], events: [EventRecord] = []) throws {
    try write { db, state in
      try writePending(db, &state)
      try append(db, &state, trials: trials) { effect.values(sequence: $0) }
      try insert(db, events)
      try Meta.writeProgress(db, state)
    }
  }

  /// Writes trials that cost nothing to repeat, such as table lookups, many in one transaction.
  ///
  /// A trial that is already recorded with the same exact content is left as it is, so a resumed run may give all its
  /// lookups again.
  /// - Throws: `recipe` when a trial differs from the recorded one of the same number: the recipe isn't deterministic.
  public func record(_ trials: [TrialRecord], events: [EventRecord] = []) throws {
    try write { db, state in
      try writePending(db, &state)
      let new = try trials.filter { try isNew(db, $0) }
      if !new.isEmpty { try append(db, &state, trials: new) { Self.groupValues(sequence: $0, trials: new) } }
      try insert(db, events)
      try Meta.writeProgress(db, state)
    }
  }

  /// Shows a trial as running to readers. It isn't part of the journal: after a crash, the resumed run starts it again.
  ///
  /// - Throws: `recipe` when the trial is recorded as finished with other inputs.
  public func begin(_ trial: TrialRecord) throws {
    var trial = trial
    trial.status = .running
    try write { db, state in
      let recorded = try Self.trial(db, search: trial.search, number: trial.number, source: file)
      if let recorded, recorded.status != .running { throw changed(trial, since: recorded) }
      try insert(db, trial, entry: nil)
    }
  }

  private func changed(_ trial: TrialRecord, since recorded: TrialRecord) -> Fault {
    let isOther = trial.architecture != recorded.architecture
    return Fault(
      .recipe,
      isOther
        ? "another architecture is asked for than before"
        : "what the trial depends on has changed since it was recorded",
      path: "\(trial.search)/trial \(trial.number)",
      expected: isOther ? recorded.architecture : "the data, files, modules and values that it was recorded with",
      got: isOther ? trial.architecture : "another digest of them",
      hint: "Put back what has changed, or start the recipe again with --reuse \(identity.id).")
  }

  /// Notes a decision, which is written with the next transaction.
  ///
  /// - Throws: `recipe` when the record says that another decision was taken at this request: then the recipe, or what
  ///   it depends on, isn't what it was.
  public func decide(_ decision: DecisionRecord) throws {
    let recorded = try read { db in
      try String.fetchOne(
        db.cachedStatement(
          sql: "SELECT exact FROM journal WHERE entry = 'decision' AND search = ? AND kind = ? AND occurrence = ?"),
        arguments: [decision.search, decision.kind, decision.request])
    }
    guard let recorded else { return state.withLock { $0.pendingDecisions.append(decision) } }
    guard recorded == decision.value.text() else {
      throw Fault(
        .recipe, "the recipe doesn't decide as it did before",
        path: "\(decision.search)/\(decision.kind) \(decision.request)",
        expected: recorded, got: decision.value.text(),
        hint: "Something it depends on has changed; start it again with --reuse \(identity.id).")
    }
  }

  /// Notes an event, which is written with the next transaction.
  public func note(_ kind: String, _ text: String) {
    let event = EventRecord(time: Date().timeIntervalSince1970, kind: kind, text: text)
    state.withLock { $0.pendingEvents.append(event) }
  }

  /// Adds a search, or replaces what is known of it (its stop reason, say).
  public func record(_ search: SearchRecord) throws {
    try write { db, state in
      try db.execute(
        sql: """
          INSERT INTO search (name, objectives, planned, stop_reason, details) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET objectives = excluded.objectives, planned = excluded.planned,
            stop_reason = excluded.stop_reason, details = excluded.details
          """,
        arguments: [
          search.name, search.objectivesJSON.text(), search.planned, search.stopReason, search.details.text(),
        ])
      try writePending(db, &state)
      try Meta.writeProgress(db, state)
    }
  }

  /// How many effects were taken from the parent.
  public func reusedEffects() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM effect WHERE reused") ?? 0 }
  }
}
