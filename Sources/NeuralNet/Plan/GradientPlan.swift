import Diagnostics
import TensorCore

/// A network as it runs in a mode, with the gradients of its first output from a given gradient of that.
struct Differentiated {
  let draft: GraphDraft
  let output: Symbol
  /// The input after the graph's own: the gradient of the output.
  let outputGradient: Symbol
  /// How many nodes compute the output; those after them compute gradients.
  let forwardNodes: Int
  /// For each input and each parameter of the graph, its gradient; nil where the output does not depend on it, and for
  /// statistics.
  let inputGradients: [Symbol?]
  let parameterGradients: [Symbol?]

  init(_ graph: Graph, mode: ExecutionMode) throws {
    draft = try graph.expanded(for: mode)
    let inputs = draft.graph.inputs.map(\.value), parameters = draft.graph.parameters
    output = draft.symbol(draft.graph.outputs[0].value)
    outputGradient = draft.input("output_gradient", output.type)
    forwardNodes = draft.graph.nodes.count
    let trained = parameters.filter(\.kind.isTrained).map(\.value)
    let gradients = try draft.gradients(of: output, from: outputGradient, wrt: (inputs + trained).map(draft.symbol))
    inputGradients = Array(gradients.prefix(inputs.count))
    var rest = gradients.dropFirst(inputs.count)
    parameterGradients = parameters.map { $0.kind.isTrained ? rest.removeFirst() : nil }
  }
}

/// A network compiled as one differentiable function: its first output from its inputs and parameters, and the
/// gradients of both from a given gradient of that output.
package final class GradientPlan {
  package let plan: Plan
  private let inputs: [Graph.Port]
  private let output: Int
  /// The input that takes the gradient of the output.
  private let outputGradient: Graph.Port
  /// For each input, the value that is its gradient; nil where the output does not depend on it.
  private let inputGradients: [Int?]
  /// How many nodes compute the output; those after them compute gradients.
  private let forwardNodes: Int

  /// Compiles a graph for a batch size and an execution mode.
  package init(
    _ graph: Graph, batch: Int, mode: ExecutionMode, random: RandomSource, compute: Compute
  ) throws {
    let whole = try Differentiated(graph, mode: mode), draft = whole.draft
    let parameterGradients = whole.parameterGradients.enumerated().compactMap { index, gradient in
      gradient.map { (index, $0.id) }
    }
    forwardNodes = whole.forwardNodes
    inputGradients = whole.inputGradients.map { $0?.id }
    plan = try Plan(
      draft.graph, batch: batch, kept: [whole.output.id] + inputGradients.compactMap { $0 },
      gradientValues: Dictionary(uniqueKeysWithValues: parameterGradients), random: random, compute: compute)
    inputs = draft.graph.inputs.dropLast()
    output = whole.output.id
    outputGradient = draft.graph.inputs[draft.graph.inputs.count - 1]
  }

  /// The output and the gradients of the inputs, all dense; those of the parameters are read with `gradient`.
  package func run(
    _ values: [[Float]], outputGradient: [Float], _ weights: Weights, step: Int = 0
  ) throws -> (output: [Float], inputGradients: [[Float]?]) {
    (try forward(values, weights, step: step), try backward(outputGradient, weights, step: step))
  }

  /// The output alone, dense. Running statistics change.
  func forward(_ values: [[Float]], _ weights: Weights, step: Int) throws -> [Float] {
    for (port, dense) in zip(inputs, values) {
      try dense.withUnsafeBufferPointer { try plan.write($0, to: port) }
    }
    try plan.run(weights, step: step, nodes: 0..<forwardNodes)
    return plan.read(output)
  }

  /// The gradients for the run before, which must have been `forward`, on weights of the same values, since gradients are
  /// written over what it left. Returns those of the inputs, dense.
  func backward(_ outputGradient: [Float], _ weights: Weights, step: Int) throws -> [[Float]?] {
    try outputGradient.withUnsafeBufferPointer { try plan.write($0, to: self.outputGradient) }
    try plan.run(weights, step: step, nodes: forwardNodes..<plan.graph.nodes.count)
    return inputGradients.map { $0.map { plan.read($0) } }
  }

  /// The gradient of one parameter after a run, dense.
  package func gradient(of path: String) -> [Float]? { plan.gradient(of: path) }
}
