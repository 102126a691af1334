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
    let history = takeHistory()
    defer { withExtendedLifetime(output) { giveBack(history) } }
    history.walk(from: output)
    return try gradients(of: output, seed, wrt: targets, createGraph: createGraph, through: history)
  }

  private func gradients(
    of output: Tensor, _ seed: Tensor, wrt targets: [Tensor], createGraph: Bool, through history: TapeHistory
  ) throws -> [Tensor?] {
    history.select(targets)
    if createGraph {
      return try recording(true) { try recordedGradients(of: output, seed, wrt: targets, through: history) }
    }
    return try history.gradients(of: output, seed, on: self)
  }

  /// Adds the gradients of a tensor of one element to the `gradient` of every leaf that it depends on.
  public func backward(_ output: Tensor, seed: Tensor? = nil) throws {
    guard output.requiresGradient else {
      throw Fault(
        .recipe, "backward: no gradient was recorded for this tensor",
        hint: "Make a tensor with { requires_grad = true }, or use a model's parameters.")
    }
    let seed = try seed.map { try self.seed($0, for: output) } ?? one(for: output), history = takeHistory()
    defer { withExtendedLifetime(output) { giveBack(history) } }
    history.walk(from: output)
    let leaves = output.isLeaf ? [output] : history.leaves()
    let gradients = try gradients(of: output, seed, wrt: leaves, createGraph: false, through: history)
    for (leaf, gradient) in zip(leaves, gradients) {
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
    let one = try Tensor.Storage(output.storage.form)
    one.pointer[0] = 1
    return Tensor(one)
  }

  /// The gradients as tensors with a history of their own.
  private func recordedGradients(
    of output: Tensor, _ seed: Tensor, wrt targets: [Tensor], through history: TapeHistory
  ) throws -> [Tensor?] {
    var terms = [[Tensor]](repeating: [], count: history.slotCount)
    func add(_ term: Tensor, to tensor: Tensor) {
      let slot = history.slot(of: tensor)
      if slot >= 0 { terms[slot].append(term) }
    }
    func total(_ slot: Int) throws -> Tensor? {
      if slot < 0 { return nil }
      if terms[slot].count > 1 { terms[slot] = try compute(.add, terms[slot], Attributes()) }
      return terms[slot].first
    }
    add(seed, to: output)
    for reference in history.nodes {
      let node = reference.takeUnretainedValue()
      let incoming = try (0..<node.outputCount).map { try total(node.firstSlot + $0) }
      guard incoming.contains(where: { $0 != nil }) else { continue }
      let wanted = node.inputs.map { history.slot(of: $0) >= 0 }
      for (input, term) in zip(node.inputs, try gradients(of: node, incoming, wanted: wanted)) {
        if let term { add(term, to: input) }
      }
    }
    return try targets.map { try total(history.slot(of: $0)) }
  }

  /// The gradients of a node's inputs from those of its outputs.
  func gradients(of node: TapeNode, _ incoming: [Tensor?], wanted: [Bool]) throws -> [Tensor?] {
    if let operation = node.operation {
      let program = try operation.gradient(
        wanted: TapeOperation.bits(wanted.count) { wanted[$0] },
        incoming: TapeOperation.bits(incoming.count) { incoming[$0] != nil }
      ).program
      try node.checkUnchanged(program.readsGiven, by: operation.op.name)
      let outputs = (0..<node.outputCount).map { isRecording ? node.tensor($0) : Tensor(node.storage($0)) }
      return try program.run(
        node.inputs + outputs + incoming.compactMap { $0 }, batch: operation.batch, on: self)
    }
    guard let function = node.function, let gradient = incoming[0] else { return [] }
    let gradients =
      isRecording
      ? try function.gradients(gradient, wanted: wanted, of: node, on: self)
      : try function.gradients(gradient, wanted: wanted)
    return try zip(node.inputs, gradients).map { input, gradient in
      try gradient.map { try input.type.shape.hasBatch ? batch($0) : fromBatch($0) }
    }
  }
}
