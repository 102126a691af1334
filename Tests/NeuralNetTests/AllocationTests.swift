import AllocationCount
import NeuralNet
import TensorCore
import Testing

/// A step of a plan asks for no memory once it is warm. In optimised code alone: without it closures take some.
@Suite struct AllocationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let graph: @Sendable () throws -> Graph
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "cells") {
      try NASBench201(cells: 1, size: 16).graph(
        "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|")
    },
    Case(name: "inverted bottlenecks") { try BlockNetworks.mobile() },
    Case(name: "Transformer block") { try BlockNetworks.transformer() },
  ]

  private static let isOptimised: Bool = {
    #if DEBUG
      false
    #else
      true
    #endif
  }()

  @Test func allocationsAreCounted() throws {
    let before = allocation_count()
    let buffer = try AlignedBuffer(count: 16), large = try AlignedBuffer(count: 1 << 20)
    #expect(withExtendedLifetime((buffer, large)) { allocation_count() - before } >= 3)
  }

  @Test(.enabled(if: isOptimised), arguments: cases, KernelSet.available)
  func aTrainingStepTakesNoMemory(network: Case, kernels: KernelSet) throws {
    let graph = try network.graph(), random = RandomSource(seed: 1, name: "r"), compute = try Compute(kernels: kernels)
    for precision in ExecutionMode.Precision.allCases {
      var mode = ExecutionMode.training
      mode.precision = precision
      let plan = try TrainingPlan(graph, batch: 4, mode: mode, random: random, compute: compute)
      #expect(try allocations(of: plan, graph, random) == 0, "\(precision)")
    }
  }

  /// Of twenty steps, once the plan is warm.
  private func allocations(of plan: TrainingPlan, _ graph: Graph, _ random: RandomSource) throws -> Int {
    let state = try TrainingState(try Weights(graph, random: random)), optimiser = try SGD(clipNorm: 5)
    let images = SmallNetworks.numbers(4 * graph.type(of: graph.inputs[0]).shape.elementsPerSample)
    let labels = SmallNetworks.labels(4, classes: 10)
    func steps(_ count: Int) throws {
      for _ in 0..<count {
        try images.withUnsafeBufferPointer { try plan.setInput($0) }
        try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
        _ = try plan.step(state, optimiser, learningRate: 0.01)
      }
    }
    try steps(2)
    let before = allocation_count()
    try steps(20)
    return Int(allocation_count() - before)
  }

  @Test(.enabled(if: isOptimised), arguments: cases, KernelSet.available)
  func anEvaluationTakesNoMemory(network: Case, kernels: KernelSet) throws {
    let graph = try network.graph(), weights = try Weights(graph, random: RandomSource(seed: 1, name: "r"))
    let plan = try InferencePlan(graph, batch: 1, compute: try Compute(kernels: kernels))
    let image = SmallNetworks.numbers(graph.type(of: graph.inputs[0]).shape.elementsPerSample)
    func runs(_ count: Int) throws {
      for _ in 0..<count {
        try image.withUnsafeBufferPointer { try plan.setInput($0) }
        try plan.run(weights)
      }
    }
    try runs(2)
    let before = allocation_count()
    try runs(20)
    #expect(allocation_count() - before == 0)
  }
}
