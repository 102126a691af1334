import Canonical
import Diagnostics
import NeuralNet
import TensorCore
import Testing

/// What a plan runs, in which order and in how much memory.
@Suite struct PlanTests {
  private let builder: GraphBuilder
  private let x: Symbol

  init() throws {
    builder = try GraphBuilder(inputs: [("x", [8, 8, 16])])
    x = builder.inputs[0]
  }

  private func plan(_ y: Symbol, sharesMemory: Bool = true) throws -> InferencePlan {
    try InferencePlan(
      try builder.finish(outputs: [("y", y)]), batch: 2, batchNorm: .running, sharesMemory: sharesMemory,
      compute: try Compute())
  }

  @Test func deadNodesDoNotRun() throws {
    let dead = try builder.apply("relu6", [x])
    _ = try builder.apply("relu", [dead])
    #expect(try plan(try builder.apply("relu", [x], name: "alive")).plan.steps.map(\.path) == ["alive"])
  }

  @Test func zerosAreLeftOutOfSums() throws {
    let zero = try builder.apply("zero", [x]), y = try builder.apply("relu", [x])
    let sum = try builder.apply("add", [zero, y, zero, try builder.apply("relu6", [x])])
    let only = try builder.apply("add", [zero, sum])
    #expect(try plan(only).plan.steps.map(\.op) == ["relu", "relu6", "add"])
    let nothing = try GraphBuilder(inputs: [("x", [3])])
    let a = try nothing.apply("zero", nothing.inputs), b = try nothing.apply("add", [a, a])
    let graph = try nothing.finish(outputs: [("y", b)])
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "w"))
    #expect(try InferencePlan(graph, batch: 1, compute: try Compute()).run([1, 2, 3], weights) == [0, 0, 0])
  }

  @Test func equalNodesRunOnce() throws {
    let a = try builder.apply("relu", [x]), b = try builder.apply("relu", [x])
    #expect(try plan(try builder.apply("add", [a, b])).plan.steps.map(\.op) == ["relu", "add"])
  }

  @Test func dropoutAndBatchNormGoWithTheMode() throws {
    let y = try builder.apply("dropout", [try builder.apply("batch_norm", [x])])
    #expect(try plan(y).plan.steps.map(\.op) == ["normalise"])
    let builder = try GraphBuilder(inputs: [("x", [4])])
    let z = try builder.apply("dropout", [try builder.apply("batch_norm", builder.inputs)])
    let training = try TrainingPlan(
      try builder.finish(outputs: [("y", z)]), batch: 2, random: RandomSource(seed: 0, name: "d"),
      compute: try Compute())
    #expect(
      training.plan.steps.map(\.op) == [
        "batch_normalise", "update_running_statistics", "random_mask", "mul", "label_cross_entropy", "constant",
        "cross_entropy_gradient", "mul", "batch_norm_gradient",
      ])
  }

  @Test func memoryIsSharedAndWorkedInPlace() throws {
    // The input stays; twenty convolutions take turns in two buffers. They clamp what they read or write themselves.
    var y = x
    for _ in 0..<20 {
      y = try builder.apply("conv2d", [try builder.apply("relu", [y])], attributes: ["channels": 16, "kernel": 1])
    }
    let value = 2 * 8 * 8 * 16 * 4
    let shared = try plan(y), apart = try plan(y, sharesMemory: false)
    #expect(apart.arenaBytes - shared.arenaBytes == (21 - 3) * value)
  }

  @Test func whatWasInItsMemoryBeforeDoesNotMatter() throws {
    let graph = try NASBench201(cells: 1, size: 16).graph(
      "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|")
    let random = RandomSource(seed: 0, name: "r"), weights = try Weights(graph, random: random)
    let images = SmallNetworks.numbers(64 * 16 * 16 * 3), labels = SmallNetworks.labels(64, classes: 10)
    func gradient() throws -> [Float]? {
      // Pages that a plan of this size will take.
      try withExtendedLifetime((4...6).map { try AlignedBuffer(count: 1 << (18 + $0), start: .anything) }) { buffers in
        for buffer in buffers { buffer.floats.update(repeating: .nan) }
      }
      let plan = try TrainingPlan(graph, batch: 64, random: random, compute: try Compute())
      #expect(plan.arenaBytes > 4 << 20)
      try images.withUnsafeBufferPointer { try plan.setInput($0) }
      try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
      #expect(try plan.forwardBackward(weights, step: 0).isFinite)
      return plan.gradient(of: "stem/conv/weight")
    }
    let first = try gradient()
    #expect(first?.allSatisfy(\.isFinite) == true)
    for _ in 0..<3 { #expect(try gradient() == first) }
  }

  /// A batch may be smaller than the plan's, also where the missing samples' zeros would be no index.
  @Test func embeddingsOfPartOfABatch() throws {
    let builder = try GraphBuilder(inputs: [("x", [3])])
    let y = try builder.apply("embedding", builder.inputs, attributes: ["count": 4, "size": 2], name: "words")
    let graph = try builder.finish(outputs: [("y", y)])
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "test"))
    try weights.set("words/weight", [1, 10, 2, 20, 3, 30, 4, 40])
    let plan = try InferencePlan(graph, batch: 5, compute: try Compute())
    #expect(try plan.run([4, 1, 2], weights) == [4, 40, 1, 10, 2, 20])
    for wrong in [0, 5, 1.5, -.infinity, .infinity, .nan] as [Float] {
      let fault = #expect(throws: Fault.self) { _ = try plan.run([1, 1, 1, 2, wrong, 2], weights) }
      #expect(fault?.expected == "a whole number from 1 to 4")
    }
  }
}
