import Diagnostics
import TensorCore

/// A compiled network as one node on a tape: its first output from its inputs and its parameters.
///
/// A call runs the part of the plan that gives the output, its gradient the rest: unless another call or gradient came
/// between, what the first part computed is still there; else it is computed again. A gradient that shall have gradients
/// itself is computed op by op on the tape.
public final class PlanFunction {
  private let plan: GradientPlan
  private let graph: Graph
  private let batch: Int
  private let outputType: ValueType
  private let mode: ExecutionMode
  private let random: RandomSource
  /// The network and its gradients for the tape, made when they are first asked for.
  private var program: TapeProgram?
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
    self.mode = mode
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
    let weights = try Weights(layout: plan.plan.layout)
    for (parameter, tensor) in zip(graph.parameters, parameters) { try weights.set(parameter.path, tensor.values) }
    let call = Call(self, inputs.map(\.values), weights, step: calls)
    calls += 1
    let values = try call.forward()
    for (parameter, tensor) in zip(graph.parameters, parameters) where !parameter.kind.isTrained {
      if let changed = weights[parameter.path] { try tensor.set(changed) }
    }
    let output = try Tensor.Storage(TensorForm.of(outputType, batch: batch))
    try Tensor(output).set(values)
    return tape.record(call, inputs: inputs + parameters, output: output)
  }

  /// Inputs, parameters and the gradient of the output to the gradients of the inputs and the parameters. Running
  /// statistics stay: the call has updated them.
  private func gradientProgram() throws -> TapeProgram {
    if let program { return program }
    var mode = mode
    if case .batch = mode.batchNorm { mode.batchNorm = .batch(updating: false) }
    let whole = try Differentiated(graph, mode: mode), draft = whole.draft
    let values = draft.graph.inputs.dropLast().map(\.value) + draft.graph.parameters.map(\.value)
    let program = TapeProgram(
      draft.graph, given: values.map(draft.symbol) + [whole.outputGradient],
      results: whole.inputGradients + whole.parameterGradients)
    self.program = program
    return program
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

    var byteCount: Int { weights.byteCount + 4 * inputs.reduce(0) { $0 + $1.count } }

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
        port, values in try values.map { try Tensor([batch] + graph.type(of: port).shape.dimensions, $0) }
      }
      let byParameter = try graph.parameters.map { parameter in
        try plan.gradient(of: parameter.path).map { try Tensor(parameter.shape.dimensions, $0) }
      }
      return zip(byInput + byParameter, wanted).map { $1 ? $0 : nil }
    }

    func gradients(
      _ outputGradient: Tensor, wanted: [Bool], of node: TapeNode, on tape: Tape
    ) throws -> [Tensor?] {
      let program = try function.gradientProgram(), count = function.graph.inputs.count
      try node.checkUnchanged(program.readsGiven.dropLast(), by: "a network")
      let inputs = try node.inputs.enumerated().map { $0 < count ? try tape.batch($1) : $1 }
      let random = function.random, step = step
      let gradients = try program.run(inputs + [outputGradient], batch: function.batch, on: tape) { path in
        RandomDraw(key: random.key(for: path), step: step)
      }
      return zip(gradients, wanted).map { $1 ? $0 : nil }
    }
  }
}
