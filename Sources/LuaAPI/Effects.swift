import Canonical
import Diagnostics
import Foundation
import RunStore

/// What an effect's body hands back for the journal.
public struct EffectOutcome {
  /// What an equal run gets again, bit for bit.
  public var exact: JSONValue
  /// What was seen this once.
  public var observed: JSONValue

  public init(exact: JSONValue, observed: JSONValue = .null) {
    self.exact = exact
    self.observed = observed
  }
}

/// The effects of a run: computed once, recorded before the recipe sees them, and taken from the record ever after.
///
/// An effect inside another one (a measurement inside a trial) belongs to the outer one and isn't recorded by itself.
final class Effects {
  private let session: Session
  /// How many effects of each kind and key were asked for so far.
  private var occurrences: [String: Int] = [:]
  private var depth = 0
  /// How many results came from this run's own record, and from its parent's.
  private(set) var replayed = 0
  private(set) var reused = 0

  init(session: Session) { self.session = session }

  /// Returns the recorded effect, or runs `body` and records what it gives.
  ///
  /// - Parameters:
  ///   - key: digest of everything that the exact result depends on.
  ///   - starting: the trial shown as running to readers while `body` works.
  func perform(
    kind: String, key: String, search: String? = nil, label: String, starting: TrialRecord? = nil,
    body: () throws -> EffectOutcome, completed: (EffectRecord) -> TrialRecord? = { _ in nil }
  ) throws -> EffectRecord {
    guard depth == 0 else {
      let outcome = try body()
      return EffectRecord(kind: kind, key: key, exact: outcome.exact, observed: outcome.observed, label: label)
    }
    let run = try session.startedRun()
    let identity = kind + "/" + key
    let occurrence = occurrences[identity, default: 0]
    occurrences[identity] = occurrence + 1
    if let found = try run.effect(kind: kind, key: key, occurrence: occurrence) {
      return try take(found, for: search, in: run, completed: completed)
    }
    if let starting { try run.begin(starting) }
    let start = session.clock.seconds
    depth += 1
    defer { depth -= 1 }
    let outcome = try body()
    run.activeSeconds = session.clock.seconds
    let effect = EffectRecord(
      kind: kind, key: key, occurrence: occurrence, exact: outcome.exact, observed: outcome.observed, search: search,
      label: label, activeSeconds: session.clock.seconds - start)
    try run.record(effect, trials: completed(effect).map { [$0] } ?? [])
    return effect
  }

  /// Takes a recorded effect; the parent's is copied into this run, so that it stands on its own.
  private func take(
    _ found: RecordedEffect, for search: String?, in run: Run, completed: (EffectRecord) -> TrialRecord?
  ) throws -> EffectRecord {
    var effect = found.effect
    guard found.isParents else {
      replayed += 1
      return effect
    }
    effect.search = search
    run.activeSeconds = session.clock.seconds
    try run.record(effect, trials: completed(effect).map { [$0] } ?? [])
    reused += 1
    return effect
  }
}
