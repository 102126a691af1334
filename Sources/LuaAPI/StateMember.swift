import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet

/// What a script holds and training changes: it can be saved and brought back, bit for bit.
protocol StateMember: LuaObject {
  /// The tensors whose numbers are part of it, each with its name. Members may have tensors in common.
  var stateTensors: [(name: String, tensor: Tensor)] { get }
  /// What there is besides their numbers: moments, counters.
  var ownState: StateSnapshot { get }
  /// Takes back what `ownState` gave.
  func restore(_ own: StateSnapshot) throws
  /// What decides, with the numbers, how it goes on: the rule, the network, a function's code.
  func definition(_ digest: (LuaReference) throws -> String) throws -> String
}

extension Tensor: StateMember {
  var stateTensors: [(name: String, tensor: Tensor)] { [("values", self)] }
  var ownState: StateSnapshot { StateSnapshot() }
  func restore(_ own: StateSnapshot) throws {}
  func definition(_ digest: (LuaReference) throws -> String) throws -> String { "Tensor" }
}

extension ModelObject: StateMember {
  var stateTensors: [(name: String, tensor: Tensor)] { model.tensors.map { ($0.name ?? "", $0) } }
  var ownState: StateSnapshot { StateSnapshot(values: ["training": .bool(model.isTraining)]) }

  func restore(_ own: StateSnapshot) throws { model.isTraining = own.values["training"]?.bool ?? model.isTraining }

  func definition(_ digest: (LuaReference) throws -> String) throws -> String { try digest(function) }
}

extension RelaxedObject: StateMember {
  var stateTensors: [(name: String, tensor: Tensor)] { tensors.map { ($0.name ?? "", $0) } }

  var ownState: StateSnapshot {
    StateSnapshot(values: Dictionary(uniqueKeysWithValues: calls.map { ("calls \($0)", .int($1)) }))
  }

  func restore(_ own: StateSnapshot) throws {
    var calls: [Int: Int] = [:]
    for (name, value) in own.values {
      if let batch = Int(name.dropFirst("calls ".count)), let count = value.int { calls[batch] = count }
    }
    self.calls = calls
  }

  func definition(_ digest: (LuaReference) throws -> String) throws -> String {
    ContentDigest.of(graph.digest, graph.parametersDigest, data.dataset.digest)
  }
}

extension OptimiserObject: StateMember {
  var stateTensors: [(name: String, tensor: Tensor)] {
    optimiser.parameters.enumerated().map { ("parameter\($0 + 1)", $1) }
  }

  var ownState: StateSnapshot {
    let (arrays, values) = optimiser.snapshot
    return StateSnapshot(arrays: arrays, values: values.object ?? [:])
  }

  func restore(_ own: StateSnapshot) throws { try optimiser.restore(own.arrays, .object(own.values)) }

  func definition(_ digest: (LuaReference) throws -> String) throws -> String { "\(optimiser.rule)" }
}

/// Members with names, whose state is saved and brought back as one.
struct StateSet {
  let members: [(name: String, object: any StateMember)]
  /// The tensors of all members, each once, under the name of the first that has it.
  var tensors: [(name: String, tensor: Tensor)] {
    var seen: Set<ObjectIdentifier> = []
    return members.flatMap { member in
      member.object.stateTensors.map { ("\(member.name)/\($0.name)", $0.tensor) }
    }.filter { seen.insert(ObjectIdentifier($0.1)).inserted }
  }

  /// Whether both are the same objects under the same names.
  func isSame(as other: StateSet) -> Bool {
    members.elementsEqual(other.members) { $0.name == $1.name && $0.object === $1.object }
  }

  /// Whether a tensor's numbers belong to it.
  func contains(_ tensor: Tensor) -> Bool { tensors.contains { $0.tensor.sharesNumbers(with: tensor) } }

  var snapshot: StateSnapshot {
    var snapshot = StateSnapshot(
      arrays: tensors.map { NamedArray(name: $0.name, shape: $0.tensor.shape, values: $0.tensor.values) })
    for member in members { snapshot.add(member.object.ownState, as: "own/" + member.name) }
    return snapshot
  }

  /// Brings all members to a snapshot. Throws a `data` fault that names what is missing or of another shape.
  func restore(_ snapshot: StateSnapshot) throws {
    let arrays = Dictionary(snapshot.arrays.map { ($0.name, $0) }) { first, _ in first }
    for (name, tensor) in tensors {
      guard let array = arrays[name], array.shape == tensor.shape else {
        throw Fault(
          .data, "a saved state doesn't fit", path: name, expected: "an array of shape \(tensor.shape)",
          got: arrays[name].map { "\($0.shape)" } ?? "nothing")
      }
      try tensor.set(array.values)
    }
    for member in members { try member.object.restore(snapshot.part("own/" + member.name)) }
    clearGradients()
  }

  /// Forgets the gradients of all tensors.
  func clearGradients() {
    for (_, tensor) in tensors { tensor.gradient = nil }
  }

  /// How scripts' functions refer to the members and their tensors.
  var parts: [ObjectIdentifier: String] {
    var parts: [ObjectIdentifier: String] = [:]
    for (name, tensor) in tensors { parts[ObjectIdentifier(tensor)] = "state " + name }
    for (name, object) in members { parts[ObjectIdentifier(object)] = "state " + name }
    return parts
  }
}
