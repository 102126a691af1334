import Diagnostics

/// What decides the random numbers of one use of an op.
struct RandomDraw {
  let key: UInt64
  let step: Int
}

/// A few ops in a fixed order, made once from a small draft and run on a tape many times: what a layer expands to, or
/// the gradient of an op.
final class TapeProgram {
  /// A class, because a copy of an op's record costs a reference count for each of its functions.
  private final class Step {
    let op: Op
    let attributes: Attributes
    let inputs: [Int]
    let outputs: [Int]
    let path: String

    init(_ node: Graph.Node) {
      (op, attributes, inputs, outputs, path) = (node.op, node.attributes, node.inputs, node.outputs, node.path)
    }
  }

  private let steps: [Step]
  private let values: Int
  private let given: [Int]
  /// For each given value, whether a step or a result reads it.
  let readsGiven: [Bool]
  private let results: [Int?]
  /// For a result that is a sum over rows, and that no step reads, the step that computes it.
  private let rowSums: [Int: Int]
  /// The steps as far as they were prepared, for the tape and the size of the batch that ran last.
  private var prepared: [TapeOperation?] = []
  private var preparedFor: (tape: ObjectIdentifier, batch: Int)?

  /// Takes what `results` depend on from a draft, and what updates statistics. `given` are the values that a run
  /// starts from; nodes that compute one of them are left out.
  init(_ graph: Graph, given: [Symbol], results: [Symbol?]) {
    let isGiven = Set(given.map(\.id))
    let needed = Set(graph.nodes(reaching: results.compactMap { $0?.id }))
    let steps: [Step] = graph.nodes.indices.compactMap { index in
      let node = graph.nodes[index]
      guard needed.contains(index) || !node.op.updates.isEmpty, !node.outputs.contains(where: isGiven.contains) else {
        return nil
      }
      return Step(node)
    }
    values = graph.values.count
    self.steps = steps
    self.given = given.map(\.id)
    self.results = results.map { $0?.id }
    let readBySteps = Set(steps.flatMap(\.inputs)), isResult = Set(results.compactMap { $0?.id })
    let read = readBySteps.union(isResult)
    readsGiven = given.map { read.contains($0.id) }
    var rowSums: [Int: Int] = [:]
    for (index, step) in steps.enumerated() {
      guard let output = step.outputs.first else { continue }
      let shapes = step.inputs.map { graph.values[$0].shape }
      if step.op.sumsRows(step.attributes, shapes), isResult.contains(output), !readBySteps.contains(output) {
        rowSums[output] = index
      }
    }
    self.rowSums = rowSums
  }

  /// Runs the ops on tensors for `given`; the results in their order.
  ///
  /// - Parameter draws: for ops that draw random numbers, from the node's path; the tape's own where nil.
  func run(
    _ tensors: [Tensor], batch: Int, on tape: Tape, draws: ((_ path: String) -> RandomDraw)? = nil
  ) throws -> [Tensor?] {
    let known = try values(from: tensors, batch: batch, on: tape, skippingRowSums: false, draws)
    return results.map { $0.flatMap { known[$0] } }
  }

  /// The same for gradients that others will be added to: a result that is a sum over rows is given as what it is a sum
  /// of.
  func runForSums(_ tensors: [Tensor], batch: Int, on tape: Tape) throws -> [GradientTerm?] {
    let known = try values(from: tensors, batch: batch, on: tape, skippingRowSums: true, nil)
    return try results.map { result in
      guard let result, let index = rowSums[result] else {
        return result.flatMap { known[$0] }.map(GradientTerm.tensor)
      }
      let inputs = steps[index].inputs.compactMap { known[$0] }
      return .rowSum(try operation(index, inputs, batch: batch, on: tape), inputs)
    }
  }

  private func values(
    from tensors: [Tensor], batch: Int, on tape: Tape, skippingRowSums: Bool,
    _ draws: ((_ path: String) -> RandomDraw)?
  ) throws -> [Tensor?] {
    var known = [Tensor?](repeating: nil, count: values)
    for (value, tensor) in zip(given, tensors) { known[value] = tensor }
    let tapeName = ObjectIdentifier(tape)
    if preparedFor?.tape != tapeName || preparedFor?.batch != batch {
      prepared = [TapeOperation?](repeating: nil, count: steps.count)
      preparedFor = (tapeName, batch)
    }
    for (index, step) in steps.enumerated() {
      if skippingRowSums, let output = step.outputs.first, rowSums[output] == index { continue }
      let inputs = step.inputs.compactMap { known[$0] }
      let draw = step.op.isRepeatable ? nil : draws?(step.path)
      let outputs =
        step.op.kernel == nil
        ? try tape.expand(step.op, inputs, step.attributes, batch: batch)
        : try tape.run(try operation(index, inputs, batch: batch, on: tape), inputs, draw: draw)
      for (value, output) in zip(step.outputs, outputs) { known[value] = output }
    }
    return known
  }

  private func operation(_ index: Int, _ inputs: [Tensor], batch: Int, on tape: Tape) throws -> TapeOperation {
    if let operation = prepared[index] { return operation }
    let operation = try tape.operation(steps[index].op, inputs, steps[index].attributes, batch: batch)
    prepared[index] = operation
    return operation
  }
}

extension Op {
  /// Whether the result is a sum over the rows of all inputs, so that the sum of two results is that of the rows of both:
  /// the gradient of a weight that is used many times is then one product.
  fileprivate func sumsRows(_ attributes: Attributes, _ inputs: [Shape]) -> Bool {
    if name == Op.linearWeightGradient.name { return true }
    if name == Op.sum.name {
      return !inputs[0].hasBatch && inputs[0].rank > 1 && attributes.integers("axes") == [1]
        && !attributes.boolean("keep")
    }
    return name == Op.matmul.name && attributes.boolean("transpose_a") && !attributes.boolean("transpose_b")
      && inputs.allSatisfy { !$0.hasBatch && $0.rank == 2 }
  }
}
