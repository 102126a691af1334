import Canonical
import NeuralNet
import TensorCore
import Testing

/// Trainings whose linear layers multiply in bfloat16.
@Suite struct BFloat16TrainingTests {
  private static let batch = 6, random = RandomSource(seed: 3, name: "r")

  private func plan(_ graph: Graph, _ precision: ExecutionMode.Precision, _ compute: Compute) throws -> TrainingPlan {
    let mode = ExecutionMode(batchNorm: .batch(updating: true), dropout: true, precision: precision)
    let plan = try TrainingPlan(graph, batch: Self.batch, mode: mode, random: Self.random, compute: compute)
    let size = graph.type(of: graph.inputs[0]).shape.elementsPerSample
    try SmallNetworks.numbers(Self.batch * size).withUnsafeBufferPointer { try plan.setInput($0) }
    try SmallNetworks.labels(Self.batch, classes: 10).withUnsafeBufferPointer { try plan.setLabels($0) }
    return plan
  }

  /// bfloat16 has 8 bits: an operand is off by up to 2⁻⁹ of itself, a sum of many by far less than their magnitudes.
  @Test func gradientsAreThoseOfSinglePrecisionButForTheRounding() throws {
    let graph = try BlockNetworks.transformer(), weights = try Weights(graph, random: Self.random)
    let single = try plan(graph, .single, try Compute()), rounded = try plan(graph, .bfloat16, try Compute())
    let losses = try [single, rounded].map { try $0.forwardBackward(weights, step: 0) }
    #expect(losses[0] != losses[1] && abs(losses[0] - losses[1]) < 0.01 * losses[0])
    for parameter in graph.parameters where parameter.kind.isTrained {
      let exact = try #require(single.gradient(of: parameter.path))
      let near = try #require(rounded.gradient(of: parameter.path))
      func size(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      // The key's bias changes no softmax: its gradient is a sum of rounding errors.
      let scale = parameter.path == "key/bias" ? 1 : size(exact)
      #expect(size(zip(exact, near).map { $0 - $1 }) < 0.03 * scale, "\(parameter.path)")
      #expect(exact != near, "\(parameter.path)")
    }
  }

  @Test func aNetworkWithoutLinearLayersBeforeItsLossHasTheSameBits() throws {
    let builder = try GraphBuilder(inputs: [("x", [6, 6, 3])])
    let z = try builder.apply("conv2d", builder.inputs, attributes: ["channels": 10, "kernel": 3])
    let y = try builder.apply("relu", [try builder.apply("batch_norm", [z])])
    let graph = try builder.finish(outputs: [("y", try builder.apply("global_avg_pool", [y]))])
    let weights = try Weights(graph, random: Self.random)
    let losses = try ExecutionMode.Precision.allCases.map {
      try plan(graph, $0, try Compute()).forwardBackward(weights, step: 0)
    }
    #expect(losses[0] == losses[1])
  }

  @Test func theBitsDependOnNeitherInstructionsNorThreads() throws {
    let graph = try BlockNetworks.transformer()
    let computes =
      try KernelSet.available.filter(\.fusesMultiplyAdd).map { try Compute(kernels: $0) } + [
        try Compute(threads: 2), try Compute(threads: 3),
      ]
    let digests = try computes.map { compute in
      let plan = try plan(graph, .bfloat16, compute), state = try TrainingState(try Weights(graph, random: Self.random))
      for _ in 0..<5 { _ = try plan.step(state, try SGD(), learningRate: 0.05) }
      return state.weights.digest
    }
    #expect(Set(digests).count == 1)
  }
}
