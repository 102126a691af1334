import Canonical
import Diagnostics
import RunStore
import TensorCore

/// Something that effects change step by step: shared weights, a relaxed network with its mixing weights.
///
/// Its version is the digest chain of (previous version, operation, inputs); equal versions have equal numbers. Steps
/// that a resumed run takes from its journal are not computed: they wait, and are computed from the latest checkpoint
/// on the chain when the numbers are needed.
final class VersionedState {
  /// How many steps lie between two checkpoints.
  static let stepsBetweenCheckpoints = 200

  private let session: Session
  private(set) var version: String
  /// Steps since the start, computed or not.
  private(set) var steps = 0
  /// The latest version with a checkpoint; nil for the start, whose numbers are drawn anew.
  private var checkpoint: String?
  /// The steps since the checkpoint that were taken from the journal.
  private var waiting: [() throws -> Void] = []
  private let save: (_ version: String) throws -> Void
  private let load: (_ version: String) throws -> Void
  /// Whether the numbers in memory are those of before `waiting`.
  private var isCurrent = true

  /// - Parameters:
  ///   - version: of the start.
  ///   - save: writes a checkpoint of a version.
  ///   - load: reads one back.
  init(
    session: Session, version: String, save: @escaping (String) throws -> Void, load: @escaping (String) throws -> Void
  ) {
    (self.session, self.version, self.save, self.load) = (session, version, save, load)
  }

  /// Makes one change an effect: `body` runs, or its result is taken from the journal. Returns the exact result.
  ///
  /// - Parameters:
  ///   - operation: what is done, with digests of everything that decides it.
  ///   - isCheckpoint: whether the numbers after it are kept at once, since computing them again takes long.
  func change(
    kind: String, _ operation: JSONValue, label: String, isCheckpoint: Bool = false,
    _ body: @escaping () throws -> JSONValue
  ) throws -> JSONValue {
    guard !session.effects.isNested else {
      throw Fault(
        .recipe, "\(label) inside a trial", expected: "training outside of evaluators",
        hint: "A trial must not change what other trials see. Train first, then search.")
    }
    let after = ContentDigest.of([
      "after": .string(version), "operation": operation, "numerics": session.compute.numerics,
    ])
    let keeps = isCheckpoint || (steps + 1) % Self.stepsBetweenCheckpoints == 0
    let effect = try session.effects.perform(kind: kind, key: after, label: label) {
      try self.compute()
      let result = try body()
      if keeps { try self.save(after) }
      return EffectOutcome(exact: result)
    }
    version = after
    steps += 1
    if effect.isReplayed, !keeps { waiting.append { _ = try body() } }
    if keeps {
      checkpoint = after
      waiting = []
      isCurrent = !effect.isReplayed
    }
    return effect.record.exact
  }

  /// Brings the numbers in memory up to the version.
  func compute() throws {
    if !isCurrent, let checkpoint { try load(checkpoint) }
    isCurrent = true
    let steps = waiting
    waiting = []
    for step in steps { try step() }
  }
}
