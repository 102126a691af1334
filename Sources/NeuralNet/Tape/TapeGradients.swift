import Diagnostics
import TensorCore

extension Tape {
  /// The gradients of a tensor by others; nil for one that it does not depend on.
  ///
  /// Goes through the recorded nodes from the last to the first. A value that was used more than once gets the sum of
  /// its contributions in one `add`, in the reverse order of its uses, as a plan's gradient has it.
  ///
  /// - Parameters:
  ///   - seed: the gradient of `output` itself; one, for a tensor of one element, when nil.
  ///   - createGraph: records the gradients' own computation, so that they have gradients too.
  public func gradients(
    of output: Tensor, seed: Tensor? = nil, wrt targets: [Tensor], createGraph: Bool = false
  ) throws -> [Tensor?] {
    let seed = try seed.map { try self.seed($0, for: output) } ?? one(for: output)
    var sums = GradientSums(targets: targets, from: output)
    return try recording(createGraph) {
      sums.add(seed, to: output.key)
      for node in sums.nodes {
        let incoming = try node.outputs.indices.map { try sums.total(node.key(of: $0), on: self) }
        guard incoming.contains(where: { $0 != nil }) else { continue }
        let wanted = node.inputs.map { sums.isWanted($0) }
        for (input, term) in zip(node.inputs, try gradients(of: node, incoming, wanted: wanted)) {
          if let term, sums.isWanted(input) { sums.add(term, to: input.key) }
        }
      }
      return try targets.map { try sums.total($0.key, on: self) }
    }
  }

  /// Adds the gradients of a tensor of one element to the `gradient` of every leaf that it depends on.
  public func backward(_ output: Tensor, seed: Tensor? = nil) throws {
    guard output.requiresGradient else {
      throw Fault(
        .recipe, "backward: no gradient was recorded for this tensor",
        hint: "Make a tensor with { requires_grad = true }, or use a model's parameters.")
    }
    let leaves = GradientSums.leaves(of: output)
    for (leaf, gradient) in zip(leaves, try gradients(of: output, seed: seed, wrt: leaves)) {
      guard let gradient else { continue }
      leaf.gradient =
        try leaf.gradient.map { before in
          try recording(false) { try compute(.add, [before, gradient], Attributes())[0] }
        } ?? gradient
    }
  }

  /// A given gradient of `output` in the form that `output` has.
  private func seed(_ seed: Tensor, for output: Tensor) throws -> Tensor {
    guard seed.shape == output.shape else {
      throw Fault(
        .recipe, "the gradient of a tensor has its shape", expected: "\(Shape.array(output.shape))",
        got: "\(Shape.array(seed.shape))")
    }
    return output.type.shape.hasBatch ? try batch(seed) : try fromBatch(seed)
  }

  private func one(for output: Tensor) throws -> Tensor {
    guard output.count == 1 else {
      throw Fault(
        .recipe, "a gradient needs a tensor of one element", expected: "[]", got: "\(Shape.array(output.shape))",
        hint: "Take the mean or the sum first.")
    }
    let one = try Tensor.Storage(output.type, batch: output.batch)
    one.buffer.pointer[0] = 1
    return Tensor(one)
  }

  /// The gradients of a node's inputs from those of its outputs.
  private func gradients(of node: TapeNode, _ incoming: [Tensor?], wanted: [Bool]) throws -> [Tensor?] {
    switch node.computation {
    case .function(let function):
      guard let gradient = incoming[0] else { return [] }
      let gradients =
        isRecording
        ? try function.gradients(gradient, wanted: wanted, of: node, on: self)
        : try function.gradients(gradient, wanted: wanted)
      return try zip(node.inputs, gradients).map { input, gradient in
        try gradient.map { try input.type.shape.hasBatch ? batch($0) : fromBatch($0) }
      }
    case .op(let op, let attributes):
      let program = try gradientProgram(
        of: op, attributes, inputs: node.inputs.map(\.type), wanted: wanted, incoming: incoming.map { $0 != nil })
      try node.checkUnchanged(program.readsGiven, by: op.name)
      let batch = (node.inputs.map(\.storage) + node.outputs).first { $0.type.shape.hasBatch }?.batch ?? 1
      return try program.run(
        node.inputs + node.outputs.indices.map(node.tensor) + incoming.compactMap { $0 }, batch: batch, on: self)
    }
  }
}

/// The gradients that have come together so far, while going through a history backwards.
private struct GradientSums {
  /// The nodes between the targets and the output, the last first.
  let nodes: [TapeNode]
  private let wanted: Set<TensorKey>
  private let passing: Set<ObjectIdentifier>
  private var terms: [TensorKey: [Tensor]] = [:]

  init(targets: [Tensor], from output: Tensor) {
    let wanted = Set(targets.map(\.key))
    var passing = Set<ObjectIdentifier>()
    let history = Self.history(of: output)
    for node in history.reversed() {
      let isOn = node.inputs.contains { input in
        wanted.contains(input.key) || (input.producer.map { passing.contains(ObjectIdentifier($0)) } ?? false)
      }
      if isOn { passing.insert(ObjectIdentifier(node)) }
    }
    self.wanted = wanted
    self.passing = passing
    nodes = history.filter { passing.contains(ObjectIdentifier($0)) }
  }

  func isWanted(_ tensor: Tensor) -> Bool {
    wanted.contains(tensor.key) || (tensor.producer.map { passing.contains(ObjectIdentifier($0)) } ?? false)
  }

  mutating func add(_ term: Tensor, to key: TensorKey) { terms[key, default: []].append(term) }

  /// The sum of what came to a value, summed once.
  mutating func total(_ key: TensorKey, on tape: Tape) throws -> Tensor? {
    guard let terms = terms[key] else { return nil }
    let sum = terms.count == 1 ? terms[0] : try tape.compute(.add, terms, Attributes())[0]
    self.terms[key] = [sum]
    return sum
  }

  /// Every node that a tensor depends on, the last first.
  private static func history(of output: Tensor) -> [TapeNode] {
    var seen = Set<ObjectIdentifier>(), nodes: [TapeNode] = []
    var open = output.producer.map { [$0] } ?? []
    while let node = open.popLast() {
      guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
      nodes.append(node)
      for case let producer? in node.inputs.map(\.producer) { open.append(producer) }
    }
    return nodes.sorted { $0.order > $1.order }
  }

  /// The leaves with a gradient that a tensor depends on, in the order of their first use.
  static func leaves(of output: Tensor) -> [Tensor] {
    if output.isLeaf { return [output] }
    var seen = Set<ObjectIdentifier>()
    return history(of: output).reversed().flatMap(\.inputs).filter {
      $0.isLeaf && $0.requiresGradient && seen.insert(ObjectIdentifier($0)).inserted
    }
  }
}
