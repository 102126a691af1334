import Diagnostics
import TensorCore

/// A compiled network as one node on a tape: its first output from its inputs and its parameters.
///
/// A call runs the part of the plan that gives the output, its gradient the rest: unless another call or gradient came
/// between, what the first part computed is still there; else it is computed again.
public final class PlanFunction {
  private let plan: GradientPlan
  private let graph: Graph
  private let batch: Int
  private let outputType: ValueType
  /// How often it was called: what its random numbers depend on.
  public var calls = 0
  /// The call whose numbers are in the plan.
  private weak var latest: Call?

  /// Compiles a graph for a batch size and an execution mode.
  public init(
    _ graph: Graph, batch: Int, mode: ExecutionMode, random: RandomSource, compute: Compute
  ) throws {
    plan = try GradientPlan(graph, batch: batch, mode: mode, random: random, compute: compute)
    self.graph = graph
    self.batch = batch
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
    let weights = try Weights(layout: plan.plan.layout)
    for (parameter, tensor) in zip(graph.parameters, parameters) { try weights.set(parameter.path, tensor.values) }
    let call = Call(self, inputs.map(\.values), weights, step: calls)
    calls += 1
    let values = try call.forward()
    for (parameter, tensor) in zip(graph.parameters, parameters) where !parameter.kind.isTrained {
      if let changed = weights[parameter.path] { try tensor.set(changed) }
    }
    let output = try Tensor.Storage(outputType, batch: batch)
    try Tensor(output).set(values)
    return tape.record(call, inputs: inputs + parameters, output: output)
  }

  /// One call, with what it needs for its gradient.
  private final class Call: TapeFunction {
    private let function: PlanFunction
    private let inputs: [[Float]]
    private let weights: Weights
    private let step: Int

    init(_ function: PlanFunction, _ inputs: [[Float]], _ weights: Weights, step: Int) {
      (self.function, self.inputs, self.weights, self.step) = (function, inputs, weights, step)
    }

    /// The output; running statistics among the weights change.
    func forward() throws -> [Float] {
      function.latest = nil
      let output = try function.plan.forward(inputs, weights, step: step)
      function.latest = self
      return output
    }

    func gradients(_ outputGradient: Tensor, wanted: [Bool]) throws -> [Tensor?] {
      let plan = function.plan, graph = function.graph, batch = outputGradient.batch
      if function.latest !== self {
        // The statistics were updated by the first run: this one updates a copy.
        _ = try plan.forward(inputs, try weights.copy(), step: step)
      }
      // Gradients are written over what the first part left.
      function.latest = nil
      let byInput = try zip(graph.inputs, try plan.backward(outputGradient.values, weights, step: step)).map {
        port, values in try values.map { try tensor(graph.type(of: port), batch, $0) }
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
