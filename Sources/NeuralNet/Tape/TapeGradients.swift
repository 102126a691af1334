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
      sums.add(.tensor(seed), to: output)
      for (position, node) in sums.nodes.enumerated() {
        let incoming = try node.outputs.indices.map { try sums.total(of: position, $0, on: self) }
        guard incoming.contains(where: { $0 != nil }) else { continue }
        let wanted = node.inputs.map { sums.isWanted($0) }
        for (input, term) in zip(node.inputs, try gradients(of: node, incoming, wanted: wanted)) {
          if let term, sums.isWanted(input) { sums.add(term, to: input) }
        }
      }
      return try targets.map { try sums.total(of: $0, on: self) }
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
  private func gradients(of node: TapeNode, _ incoming: [Tensor?], wanted: [Bool]) throws -> [GradientTerm?] {
    switch node.computation {
    case .function(let function):
      guard let gradient = incoming[0] else { return [] }
      let gradients =
        isRecording
        ? try function.gradients(gradient, wanted: wanted, of: node, on: self)
        : try function.gradients(gradient, wanted: wanted)
      return try zip(node.inputs, gradients).map { input, gradient in
        try gradient.map { .tensor(try input.type.shape.hasBatch ? batch($0) : fromBatch($0)) }
      }
    case .operation(let operation):
      let program = try operation.gradientProgram(wanted: wanted, incoming: incoming.map { $0 != nil })
      try node.checkUnchanged(program.readsGiven, by: operation.op.name)
      let given = node.inputs + node.outputs.map { Tensor($0) } + incoming.compactMap { $0 }
      guard isRecording else { return try program.runForSums(given, batch: operation.batch, on: self) }
      let withHistory = node.inputs + node.outputs.indices.map(node.tensor) + incoming.compactMap { $0 }
      return try program.run(withHistory, batch: operation.batch, on: self).map { $0.map(GradientTerm.tensor) }
    }
  }
}
