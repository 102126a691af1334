import Diagnostics
import TensorCore

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
    let draft = try graph.expanded(for: mode)
    let inputs = draft.graph.inputs, output = draft.symbol(draft.graph.outputs[0].value)
    let outputGradient = draft.input("output_gradient", output.type)
    forwardNodes = draft.graph.nodes.count
    let trainable = draft.graph.parameters.indices.filter { draft.graph.parameters[$0].kind.isTrained }
    let targets = inputs.map(\.value) + trainable.map { draft.graph.parameters[$0].value }
    let gradients = try draft.gradients(of: output, from: outputGradient, wrt: targets.map(draft.symbol))
    let parameterGradients = zip(trainable, gradients.dropFirst(inputs.count)).compactMap { index, gradient in
      gradient.map { (index, $0.id) }
    }
    inputGradients = gradients.prefix(inputs.count).map { $0?.id }
    plan = try Plan(
      draft.graph, batch: batch, kept: [output.id] + inputGradients.compactMap { $0 },
      gradientValues: Dictionary(uniqueKeysWithValues: parameterGradients), random: random, compute: compute)
    self.inputs = inputs
    self.output = output.id
    self.outputGradient = draft.graph.inputs[draft.graph.inputs.count - 1]
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
