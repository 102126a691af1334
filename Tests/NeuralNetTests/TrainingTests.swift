import Canonical
import Diagnostics
import NeuralNet
import TensorCore
import Testing

/// Weights, states and modes of a training.
@Suite struct TrainingTests {
  private let graph: Graph
  private static let batch = 6

  init() throws {
    let builder = try GraphBuilder(inputs: [("x", [6, 6, 3])])
    let z = try builder.apply("conv2d", builder.inputs, attributes: ["channels": 8, "kernel": 3])
    let y = try builder.apply("relu", [try builder.apply("batch_norm", [z])])
    let d = try builder.apply("dropout", [try builder.apply("global_avg_pool", [y])], attributes: ["rate": 0.25])
    graph = try builder.finish(outputs: [("y", try builder.apply("linear", [d], attributes: ["features": 4]))])
  }

  private func plan(seed: UInt64 = 5) throws -> TrainingPlan {
    try TrainingPlan(
      graph, batch: Self.batch, random: RandomSource(seed: seed, name: "dropout"), compute: try Compute())
  }

  private func weights() throws -> Weights { try Weights(graph, random: RandomSource(seed: 1, name: "weights")) }

  private func train(_ plan: TrainingPlan, _ state: TrainingState, steps: Range<Int>) throws -> [Float] {
    let sgd = try SGD(weightDecay: 1e-3, undecayed: [.norm, .bias], clipNorm: 1)
    return try steps.map { step in
      try SmallNetworks.numbers(Self.batch * 108, seed: UInt64(step)).withUnsafeBufferPointer { try plan.setInput($0) }
      try SmallNetworks.labels(Self.batch, classes: 4, seed: UInt64(step)).withUnsafeBufferPointer {
        try plan.setLabels($0)
      }
      return try plan.step(state, sgd, learningRate: 0.05)
    }
  }

  @Test func aRestoredTrainingGoesOnBitForBit() throws {
    let straight = try TrainingState(try weights())
    let losses = try train(try plan(), straight, steps: 0..<12)
    let first = try TrainingState(try weights())
    _ = try train(try plan(), first, steps: 0..<5)
    let snapshot = first.snapshot()
    let resumed = try TrainingState(try Weights(graph, random: RandomSource(seed: 99, name: "other")))
    try resumed.restore(snapshot.arrays, metadata: snapshot.metadata)
    #expect(try train(try plan(), resumed, steps: 5..<12) == Array(losses[5...]))
    #expect(resumed.weights.digest == straight.weights.digest)
    #expect(resumed.step == 12)
  }

  @Test func aDamagedSnapshotIsNamed() throws {
    let state = try TrainingState(try weights()), snapshot = state.snapshot()
    #expect(throws: Fault(.data, "the checkpoint lacks an array", path: "momentum/linear1/bias")) {
      try state.restore(snapshot.arrays.filter { $0.name != "momentum/linear1/bias" }, metadata: snapshot.metadata)
    }
    #expect(throws: Fault(.data, "the weights lack an array", path: "conv2d1/weight")) {
      try state.restore(snapshot.arrays.filter { $0.name != "conv2d1/weight" }, metadata: snapshot.metadata)
    }
  }

  @Test func dropoutDependsOnItsStreamAndTheStep() throws {
    let numbers = SmallNetworks.numbers(Self.batch * 108), weights = try weights()
    func loss(seed: UInt64, step: Int) throws -> Float {
      let plan = try plan(seed: seed)
      try numbers.withUnsafeBufferPointer { try plan.setInput($0) }
      return try plan.forwardBackward(try weights.copy(), step: step)
    }
    #expect(try loss(seed: 5, step: 3) == loss(seed: 5, step: 3))
    #expect(try loss(seed: 5, step: 3) != loss(seed: 5, step: 4))
    #expect(try loss(seed: 5, step: 3) != loss(seed: 6, step: 3))
  }

  @Test func dropoutKeepsTheExpectation() throws {
    let builder = try GraphBuilder(inputs: [("x", [100, 10, 5])])
    let y = try builder.apply("dropout", builder.inputs, attributes: ["rate": 0.3])
    let plan = try GradientPlan(
      try builder.finish(outputs: [("y", y)]), batch: 2, mode: .training, random: RandomSource(seed: 1, name: "d"),
      compute: try Compute())
    let ones = [Float](repeating: 1, count: 10_000)
    let result = try plan.run(
      [ones], outputGradient: ones, try Weights(plan.plan.graph, random: RandomSource(seed: 0, name: "")))
    #expect(Set(result.output) == [0, 1 / 0.7])
    // 10,000 draws: the deviation of the share kept is 0.0046.
    #expect(abs(Double(result.output.filter { $0 > 0 }.count) / 10_000 - 0.7) < 0.02)
    #expect(result.inputGradients[0] == result.output)
  }

  @Test func parametersHaveStreamsOfTheirOwn() throws {
    let builder = try GraphBuilder(inputs: [("x", [6, 6, 3])])
    let extra = try builder.apply("conv2d", builder.inputs, attributes: ["channels": 3, "kernel": 1], name: "extra")
    let z = try builder.apply("conv2d", [extra], attributes: ["channels": 8, "kernel": 3])
    let other = try Weights(
      try builder.finish(outputs: [("y", z)]), random: RandomSource(seed: 1, name: "weights"))
    #expect(try weights()["conv2d1/weight"] == other["conv2d1/weight"])
    // Uniform within ±1/√27.
    let values = try #require(other["conv2d1/weight"])
    #expect(values.allSatisfy { abs($0) <= 0.19245 } && values.contains { abs($0) > 0.18 })
  }

  @Test func recalibrationIsTheMeanOfTheBatches() throws {
    let builder = try GraphBuilder(inputs: [("x", [2])])
    let graph = try builder.finish(outputs: [("y", try builder.apply("batch_norm", builder.inputs, name: "n"))])
    let weights = try Weights(graph, random: RandomSource(seed: 1, name: "w"))
    try weights.set("n/running_mean", [100, 100])
    let batches: [[Float]] = [[1, 0, 3, 0], [5, 2, 7, 4], [0, 6, 0, 8]]
    try weights.recalibrate(graph, batches: 3, size: 2, compute: try Compute()) { batches[$0] }
    // Means 2, 6, 0 and 0, 3, 7; unbiased variances 2, 2, 0 and 0, 2, 2.
    let mean = try #require(weights["n/running_mean"]), variance = try #require(weights["n/running_var"])
    #expect(relativeError(mean, [8 / 3, 10 / 3]) < 1e-6)
    #expect(relativeError(variance, [4 / 3, 4 / 3]) < 1e-6)
  }

  @Test func bypassLeavesTheValuesAlone() throws {
    let builder = try GraphBuilder(inputs: [("x", [2])])
    let graph = try builder.finish(outputs: [("y", try builder.apply("batch_norm", builder.inputs))])
    let weights = try Weights(graph, random: RandomSource(seed: 1, name: "w"))
    let plan = try InferencePlan(graph, batch: 2, batchNorm: .bypass, compute: try Compute())
    #expect(try plan.run([1, 2, 3, 4], weights) == [1, 2, 3, 4])
  }

  @Test func aDivergedLossIsReturned() throws {
    let weights = try weights(), plan = try plan()
    try weights.set("linear1/bias", [.infinity, 0, 0, 0])
    let state = try TrainingState(weights)
    #expect(!(try train(plan, state, steps: 0..<2)).allSatisfy(\.isFinite))
  }

  @Test func wrongBatchesSaySo() throws {
    let plan = try plan()
    #expect(throws: Fault(.data, "label 2 of the batch is out of range", expected: "0 to 3", got: "4")) {
      try [0, 4, 0, 0, 0, 0].withUnsafeBufferPointer { try plan.setLabels($0) }
    }
    #expect(throws: Fault(.recipe, "wrong number of values for a batch", path: "x", expected: "648", got: "3")) {
      try [1, 2, 3].withUnsafeBufferPointer { try plan.setInput($0) }
    }
    #expect(throws: Fault(.recipe, "wrong batch size", expected: "1 to 65536", got: "0")) {
      _ = try InferencePlan(graph, batch: 0, compute: try Compute())
    }
  }

  @Test func weightsOfAnotherNetworkAreRefused() throws {
    let builder = try GraphBuilder(inputs: [("x", [3])])
    let other = try builder.finish(outputs: [
      ("y", try builder.apply("linear", builder.inputs, attributes: ["features": 2]))
    ])
    let plan = try InferencePlan(other, batch: 1, compute: try Compute())
    #expect(throws: Fault.self) { _ = try plan.run([1, 2, 3], try weights()) }
  }

  @Test func peakMemoryIsTheArenaAndTheParameters() throws {
    let plan = try InferencePlan(graph, batch: 1, compute: try Compute())
    // 3·3·3·8 weights in 224 floats, 4 × 8 of the norm in 4 × 16, 8·4 in 32, 4 in 16.
    #expect(plan.peakMemoryBytes == plan.arenaBytes + 4 * (224 + 64 + 32 + 16))
  }

  @Test func aRunCanBeRepeatedOnTheSameInput() throws {
    let builder = try GraphBuilder(inputs: [("x", [3])])
    let y = try builder.apply("relu", [try builder.apply("relu6", builder.inputs)])
    let graph = try builder.finish(outputs: [("y", y)]),
      weights = try Weights(graph, random: RandomSource(seed: 1, name: "w"))
    let plan = try InferencePlan(graph, batch: 1, compute: try Compute())
    #expect(try plan.run([-1, 3, 9], weights) == [0, 3, 6])
    try plan.run(weights)
    #expect(plan.output() == [0, 3, 6])
  }

  @Test func aSmallerLastBatchIsPartOfALargerOne() throws {
    let weights = try weights(), numbers = SmallNetworks.numbers(4 * 108)
    let plan = try InferencePlan(graph, batch: 4, compute: try Compute())
    let all = try plan.run(numbers, weights)
    #expect(try plan.run(Array(numbers[..<(3 * 108)]), weights) == Array(all[..<12]))
    let full = try InferencePlan(graph, batch: 4, batchNorm: .batch(updating: false), compute: try Compute())
    #expect(throws: Fault(.recipe, "batch statistics need a full batch", expected: "4 samples", got: "3")) {
      _ = try full.run(Array(numbers[..<(3 * 108)]), weights)
    }
  }
}
