import Canonical
import Diagnostics
import LuaHost
import RunStore

/// What an effect's body hands back for the journal.
struct EffectOutcome {
  /// What an equal run gets again, bit for bit.
  var exact: JSONValue
  /// What was seen this once.
  var observed: JSONValue = .null
  /// What it cost, in active seconds, where that isn't the time of the body.
  var seconds: Double?
}

/// An effect's result: as it was recorded, now or before.
struct EffectResult {
  let record: EffectRecord
  /// True when it came from the journal and its body didn't run.
  let isReplayed: Bool
}

/// The effects of a run: computed once, recorded before the recipe sees them, and taken from the record ever after.
///
/// An effect inside another one (a measurement inside a trial) belongs to the outer one and isn't recorded by itself.
final class Effects {
  private unowned let session: Session
  /// How often each kind and key was asked for so far.
  private var asked: [String: Int] = [:]
  private var depth = 0
  /// The key of the trial that is at work; nil outside of one.
  private(set) var trialKey: String?
  /// How many results came from this run's own record, and from its parent's.
  private(set) var replayed = 0
  private(set) var reused = 0

  init(session: Session) { self.session = session }

  /// True while an effect's body runs.
  var isNested: Bool { depth > 0 }

  /// Returns the recorded effect, or runs `body` and records what it gives.
  ///
  /// - Parameters:
  ///   - key: digest of everything that the exact result depends on.
  ///   - stream: names the random streams that `body` draws from; the effect's kind and key by default.
  ///   - starting: the trial shown as running to readers while `body` works.
  ///   - trial: the row of the trial that the effect completes.
  ///   - isExact: an exact effect asked for again is the same one, not paid twice; an observed one (a clock, a
  ///     measurement) is seen anew each time.
  func perform(
    kind: String, key: String, search: String? = nil, label: String, stream: String? = nil,
    starting: TrialRecord? = nil,
    isExact: Bool = true, trial: (EffectRecord) -> TrialRecord? = { _ in nil }, body: () throws -> EffectOutcome
  ) throws -> EffectResult {
    session.unaskedDraws.restart()
    guard depth == 0 else {
      let outcome = try body()
      let record = EffectRecord(kind: kind, key: key, exact: outcome.exact, observed: outcome.observed, label: label)
      return EffectResult(record: record, isReplayed: false)
    }
    let run = try session.startedRun()
    let identity = kind + "/" + key
    let before = asked[identity, default: 0], occurrence = isExact ? 0 : before
    asked[identity] = before + 1
    let found = try run.effect(kind: kind, key: key, occurrence: occurrence)
    if session.options.reproducing != nil {
      guard let found else { throw Reproduction(session: session).unrecorded(kind: kind, label: label) }
      if kind == "trial", key == session.options.reproducing {
        try reproduce(found.effect, in: stream ?? identity, body)
      }
    }
    if let found {
      let record = try take(found, for: search, in: run, trial: trial)
      // A second search that wants the same trial has a row of its own for it.
      if isExact, before > 0, let row = trial(record) { try run.record([row]) }
      return EffectResult(record: record, isReplayed: true)
    }
    if let starting { try run.begin(starting) }
    let start = session.clock.seconds
    trialKey = kind == "trial" ? key : nil
    defer { trialKey = nil }
    let outcome = try session.randomScopes.enter(stream ?? identity) { try nested(body) }
    run.activeSeconds = session.clock.seconds
    let record = EffectRecord(
      kind: kind, key: key, occurrence: occurrence, exact: outcome.exact, observed: outcome.observed, search: search,
      label: label, activeSeconds: outcome.seconds ?? session.clock.seconds - start)
    try run.record(record, trials: trial(record).map { [$0] } ?? [])
    return EffectResult(record: record, isReplayed: false)
  }

  /// Runs `body` as an effect's, without a record: what it gives costs nothing to find again.
  ///
  /// - Parameter stream: names the random streams that `body` draws from.
  func unrecorded(stream: String, body: () throws -> EffectOutcome) throws -> EffectOutcome {
    if isNested { return try body() }
    return try session.randomScopes.enter(stream) { try nested(body) }
  }

  /// Computes a recorded trial once more and ends the recipe by a signal.
  private func reproduce(_ trial: EffectRecord, in stream: String, _ body: () throws -> EffectOutcome) throws {
    trialKey = trial.key
    let outcome = try session.randomScopes.enter(stream) { try nested(body) }
    try Reproduction(session: session).finish(outcome.exact, as: trial)
  }

  /// Runs the body of a recorded effect once more, with the same random numbers.
  func repeating<Result>(_ identity: String, _ body: () throws -> Result) throws -> Result {
    try session.randomScopes.enter(identity) { try nested(body) }
  }

  /// Whether the effect is in the record, or in the parent's.
  func isRecorded(kind: String, key: String) throws -> Bool {
    try session.startedRun().effect(kind: kind, key: key) != nil
  }

  private func nested<Result>(_ body: () throws -> Result) throws -> Result {
    depth += 1
    let allowed = session.host.allowsRecipeModules
    session.host.allowsRecipeModules = false
    defer {
      depth -= 1
      session.host.allowsRecipeModules = allowed
    }
    return try body()
  }

  /// Takes a recorded effect; the parent's is copied into this run, so that it stands on its own.
  private func take(
    _ found: RecordedEffect, for search: String?, in run: Run, trial: (EffectRecord) -> TrialRecord?
  ) throws -> EffectRecord {
    var record = found.effect
    // A reading of the clock is nobody's result.
    let isResult = record.kind != "clock"
    guard found.isParents else {
      if isResult { replayed += 1 }
      return record
    }
    record.search = search
    run.activeSeconds = session.clock.seconds
    try run.record(record, trials: trial(record).map { [$0] } ?? [])
    if isResult { reused += 1 }
    return record
  }
}
