import Canonical
import Diagnostics
import Foundation
import LuaHost
import NeuralNet
import RunStore
import TensorCore

/// Steps of scripts' own trainings as effects from state to state, by content.
///
/// Steps that a resumed run takes from its journal are not computed: the objects stay behind, until a host function is
/// called on one of them. Then the state is read from its file; older states have none, so they are computed again.
final class StateCheckpoints {
  static let kind = "checkpoint"

  /// A step that was taken from the journal.
  private struct Step {
    let label: String
    let identity: String
    /// The digest of the state after it.
    let after: String
    let run: LuaReference
  }

  /// Objects whose numbers are those of before some recorded steps, oldest first.
  private struct Behind {
    let set: StateSet
    var steps: [Step]
  }

  private unowned let session: Session
  private var behind: [Behind] = [] {
    didSet { watch() }
  }

  /// The last state of each set of objects.
  private var latest: [(set: StateSet, digest: String)] = []

  init(session: Session) { self.session = session }

  /// Runs a step, or takes its result from the journal; the state after it is in a file before this returns.
  func perform(_ label: String, _ set: StateSet, _ run: LuaReference) throws -> JSONValue {
    if session.effects.isNested { return try compute(label, set, run) }
    let waiting = behind.firstIndex { $0.set.isSame(as: set) }
    if behind.contains(where: { part in
      !part.set.isSame(as: set) && set.members.contains { part.set.overlaps($0.object) }
    }) {
      try settle()
    }
    let before =
      waiting.flatMap { behind.indices.contains($0) ? behind[$0].steps.last?.after : nil }
      ?? set.snapshot.digest
    let key = try key(label, set, run, before: before)
    let effect = try session.effects.perform(kind: Self.kind, key: key, label: label) {
      try self.settle()
      let result = try self.compute(label, set, run), snapshot = set.snapshot, after = snapshot.digest
      try snapshot.write(to: self.file(after))
      return EffectOutcome(exact: ["result": result, "after": .string(after)])
    }
    guard let after = effect.record.exact["after"]?.string else {
      throw Fault(.data, "a recorded checkpoint has no state", path: label)
    }
    if effect.isReplayed {
      try session.copyFromParent(Self.path(after))
      postpone(Step(label: label, identity: Self.kind + "/" + key, after: after, run: run), of: set)
    }
    try keepOnly(after, of: set)
    return Self.revived(effect.record.exact["result"] ?? .null)
  }

  /// Brings all objects to the states that they should have.
  func settle() throws {
    let waiting = behind
    behind = []
    for part in waiting { try settle(part) }
  }

  /// Settles when a tensor's numbers are not what they should be.
  func settle(for tensor: Tensor) throws {
    if behind.contains(where: { $0.set.contains(tensor) }) { try settle() }
  }

  // MARK: - Steps

  private func compute(_ label: String, _ set: StateSet, _ run: LuaReference) throws -> JSONValue {
    let names = set.tensors.map(\.name)
    let result = try LuaValues.json(try run([]).first ?? .nil)
    set.clearGradients()
    let made = set.tensors.map(\.name)
    guard made == names else {
      throw Fault(
        .recipe, "a model made parameters inside nas.checkpoint", path: made.first { !names.contains($0) },
        expected: "the same parameters before and after",
        hint: "Call it once before: nas.no_grad(function() model(x) end).")
    }
    return Self.revived(result)
  }

  private func key(_ label: String, _ set: StateSet, _ run: LuaReference, before: String) throws -> String {
    let parts = set.parts
    let digest = { [session] (function: LuaReference) in try session.digest(of: function, parts: parts) }
    let code: String
    do {
      code = try digest(run)
    } catch var fault as Fault where fault.hint != nil {
      fault.hint = "Put it into `state` when the step changes it, or create it inside the function."
      throw fault
    }
    let definitions = try set.members.map {
      [.string($0.name), .string(try $0.object.definition(digest))] as JSONValue
    }
    return ContentDigest.of([
      "name": .string(label), "before": .string(before), "run": .string(code), "state": .array(definitions),
      "seed": .string(String(session.seed)), "numerics": session.compute.numerics,
    ])
  }

  private func postpone(_ step: Step, of set: StateSet) {
    if let index = behind.firstIndex(where: { $0.set.isSame(as: set) }) {
      behind[index].steps.append(step)
    } else {
      behind.append(Behind(set: set, steps: [step]))
    }
  }

  /// Reads the latest state that has a file and computes the steps after it.
  private func settle(_ part: Behind) throws {
    var next = 0
    for index in part.steps.indices.reversed() where try restore(part.set, part.steps[index].after) {
      next = index + 1
      break
    }
    for step in part.steps[next...] {
      session.tell("note", "\(step.label) is computed again: its state is asked for after later ones were recorded")
      _ = try session.effects.repeating(step.identity) { try compute(step.label, part.set, step.run) }
      let digest = part.set.snapshot.digest
      guard digest == step.after else {
        throw Fault(
          .recipe, "the recipe doesn't repeat what it did before", path: step.label,
          expected: "a state with the digest \(step.after.prefix(12))", got: String(digest.prefix(12)),
          hint: "A step must depend on its state and on what its function closes over alone.")
      }
    }
  }

  private func restore(_ set: StateSet, _ digest: String) throws -> Bool {
    guard let snapshot = try? StateSnapshot(contentsOf: try file(digest).path(percentEncoded: false)),
      snapshot.digest == digest
    else { return false }
    try set.restore(snapshot)
    return true
  }

  // MARK: - Watching

  /// Has every call of a host function looked at, as long as objects are behind.
  private func watch() {
    guard !behind.isEmpty else { return session.host.beforeCall = nil }
    session.host.beforeCall = { [unowned self] call in
      guard call.name != CheckpointBinding.declaration.name else { return }
      for value in call.values() where isBehind(value, depth: 2) { return try settle() }
    }
  }

  /// Whether a value is, or holds, an object whose numbers are behind.
  private func isBehind(_ value: LuaValue, depth: Int) -> Bool {
    switch value {
    case .userdata(let object):
      guard let member = object as? any StateMember else { return false }
      return behind.contains { $0.set.overlaps(member) }
    case .table(let table): return depth > 0 && table.pairs.contains { isBehind($0.value, depth: depth - 1) }
    default: return false
    }
  }

  // MARK: - Files and results

  /// Removes the file of the state before.
  private func keepOnly(_ digest: String, of set: StateSet) throws {
    let index = latest.firstIndex { $0.set.isSame(as: set) }
    if let index, latest[index].digest != digest {
      try? FileManager.default.removeItem(at: file(latest[index].digest))
    }
    if let index { latest[index].digest = digest } else { latest.append((set, digest)) }
  }

  private func file(_ digest: String) throws -> URL {
    try session.startedRun().folder.appending(path: Self.path(digest))
  }

  private static func path(_ digest: String) -> String { "states/\(digest.prefix(32)).safetensors" }

  /// A result as it reads back from the journal, where numbers that JSON lacks are texts.
  private static func revived(_ value: JSONValue) -> JSONValue {
    switch value {
    case .string("NaN"), .string("Infinity"), .string("-Infinity"): .number(value.double ?? .nan)
    case .array(let values): .array(values.map(revived))
    case .object(let fields): .object(fields.mapValues(revived))
    default: value
    }
  }
}

extension StateSet {
  /// Whether an object is a member, or has numbers in common with one.
  fileprivate func overlaps(_ object: any StateMember) -> Bool {
    members.contains { $0.object === object } || object.stateTensors.contains { contains($0.tensor) }
  }
}
