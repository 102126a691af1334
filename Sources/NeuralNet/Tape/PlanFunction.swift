import Diagnostics
import TensorCore

/// A compiled network as one node on a tape: its first output from its inputs and its parameters.
///
/// Two runs of the plan make one step: the first gives the output, the second the gradients.
public final class PlanFunction {
  private let plan: GradientPlan
  private let graph: Graph
  private let batch: Int
  private let outputType: ValueType
  private let random: RandomSource
  private var calls = 0

  /// Compiles a graph for a batch size and an execution mode.
  public init(
    _ graph: Graph, batch: Int, mode: ExecutionMode, random: RandomSource, compute: Compute
  ) throws {
    plan = try GradientPlan(graph, batch: batch, mode: mode, random: random, compute: compute)
    self.graph = graph
    self.batch = batch
    self.random = random
    outputType = graph.type(of: graph.outputs[0])
  }

  /// The first output.
  ///
  /// - Parameters:
  ///   - inputs: one for each input of the graph, `[batch, …]`.
  ///   - parameters: one for each parameter and statistic of the graph, in its order. Statistics change.
  public func callAsFunction(_ inputs: [Tensor], parameters: [Tensor], on tape: Tape) throws -> Tensor {
    for (port, input) in zip(graph.inputs, inputs) {
      let expected = [batch] + graph.type(of: port).shape.dimensions
      guard input.shape == expected else {
        throw Fault(
          .recipe, "wrong input shape", path: port.name, expected: "\(Shape.array(expected))",
          got: "\(Shape.array(input.shape))")
      }
    }
    guard inputs.count == graph.inputs.count, parameters.count == graph.parameters.count else {
      throw Fault(
        .recipe, "wrong number of tensors for a network",
        expected: "\(graph.inputs.count) inputs and \(graph.parameters.count) parameters",
        got: "\(inputs.count) and \(parameters.count)")
    }
    let weights = try Weights(graph, random: random)
    for (parameter, tensor) in zip(graph.parameters, parameters) { try weights.set(parameter.path, tensor.values) }
    let call = Call(plan, graph, inputs.map(\.values), try weights.copy(), outputType, step: calls)
    calls += 1
    let values = try call.run([Float](repeating: 0, count: batch * outputType.shape.elementsPerSample), weights)
    for (parameter, tensor) in zip(graph.parameters, parameters) where !parameter.kind.isTrained {
      if let changed = weights[parameter.path] { try tensor.set(changed) }
    }
    let output = try Tensor.Storage(outputType, batch: batch)
    try Tensor(output).set(values)
    return tape.record(call, inputs: inputs + parameters, output: output)
  }

  /// One call, with what it needs to be repeated for its gradient.
  private final class Call: TapeFunction {
    private let plan: GradientPlan
    private let graph: Graph
    private let inputs: [[Float]]
    private let weights: Weights
    private let outputType: ValueType
    private let step: Int

    init(
      _ plan: GradientPlan, _ graph: Graph, _ inputs: [[Float]], _ weights: Weights, _ outputType: ValueType, step: Int
    ) {
      (self.plan, self.graph, self.inputs, self.weights) = (plan, graph, inputs, weights)
      (self.outputType, self.step) = (outputType, step)
    }

    func run(_ outputGradient: [Float], _ weights: Weights) throws -> [Float] {
      try plan.run(inputs, outputGradient: outputGradient, weights, step: step).output
    }

    func gradients(_ outputGradient: Tensor, wanted: [Bool]) throws -> [Tensor?] {
      // The statistics were updated by the first run: this one works on a copy.
      let result = try plan.run(
        inputs, outputGradient: outputGradient.values, try weights.copy(), step: step)
      let batch = outputGradient.batch
      let byInput = try zip(graph.inputs, result.inputGradients).map { port, values in
        try values.map { try tensor(graph.type(of: port), batch, $0) }
      }
      let byParameter = try graph.parameters.map { parameter in
        try plan.gradient(of: parameter.path).map { try tensor(ValueType(parameter.shape), 1, $0) }
      }
      return zip(byInput + byParameter, wanted).map { $1 ? $0 : nil }
    }

    private func tensor(_ type: ValueType, _ batch: Int, _ values: [Float]) throws -> Tensor {
      let tensor = Tensor(try Tensor.Storage(type, batch: batch))
      try tensor.set(values)
      return tensor
    }
  }
}
