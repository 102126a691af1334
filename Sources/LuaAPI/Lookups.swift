import Canonical
import RunStore

/// Trials whose results cost nothing to find again, those of a table: they are no effects, but written many in one
/// transaction, and a resumed run looks them up again and checks them against the record.
final class Lookups {
  private unowned let session: Session
  private var waiting: [TrialRecord] = []
  /// Trials per transaction: enough that waiting for the disk doesn't count.
  private static let group = 256

  init(session: Session) { self.session = session }

  /// Evaluates a trial and puts it down for the record.
  func run(_ request: TrialRequest) throws -> (result: EffectResult, key: String) {
    let key = ContentDigest.of([
      "arch": .string(request.arch.id), "budget": request.budget, "stream": .string(request.stream),
    ])
    let started = session.clock.seconds
    let outcome = try session.effects.unrecorded(stream: request.stream) { try request.outcome() }
    let record = EffectRecord(
      kind: "trial", key: key, exact: outcome.exact, observed: outcome.observed, search: request.search,
      label: "trial \(request.number)")
    waiting.append(request.row(started: started).completed(by: record, under: request.constraints))
    if waiting.count >= Self.group { try flush() }
    return (EffectResult(record: record, isReplayed: false), key)
  }

  /// Writes what waits.
  func flush() throws {
    guard !waiting.isEmpty else { return }
    let trials = waiting
    waiting = []
    try session.startedRun().record(trials)
  }
}
