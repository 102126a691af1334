import Diagnostics

/// What decides the random numbers of one use of an op.
struct RandomDraw {
  let key: UInt64
  let step: Int
}

/// A few ops in a fixed order, made once from a small draft and run on a tape many times: what a layer expands to, or
/// the gradient of an op.
struct TapeProgram {
  private struct Step {
    let op: Op
    let attributes: Attributes
    let inputs: [Int]
    let outputs: [Int]
    let path: String
  }

  private let steps: [Step]
  private let values: Int
  private let given: [Int]
  /// For each given value, whether a step or a result reads it.
  let readsGiven: [Bool]
  private let results: [Int?]

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
      return Step(op: node.op, attributes: node.attributes, inputs: node.inputs, outputs: node.outputs, path: node.path)
    }
    values = graph.values.count
    self.steps = steps
    self.given = given.map(\.id)
    self.results = results.map { $0?.id }
    let read = Set(steps.flatMap(\.inputs) + results.compactMap { $0?.id })
    readsGiven = given.map { read.contains($0.id) }
  }

  /// Runs the ops on tensors for `given`; the results in their order.
  ///
  /// - Parameter draws: for ops that draw random numbers, from the node's path; the tape's own where nil.
  func run(
    _ tensors: [Tensor], batch: Int, on tape: Tape, draws: ((_ path: String) -> RandomDraw)? = nil
  ) throws -> [Tensor?] {
    var known = [Tensor?](repeating: nil, count: values)
    for (value, tensor) in zip(given, tensors) { known[value] = tensor }
    for step in steps {
      let inputs = step.inputs.compactMap { known[$0] }
      let draw = step.op.isRepeatable ? nil : draws?(step.path)
      let outputs = try tape.compute(step.op, inputs, step.attributes, batch: batch, draw: draw)
      for (value, output) in zip(step.outputs, outputs) { known[value] = output }
    }
    return results.map { $0.flatMap { known[$0] } }
  }
}
