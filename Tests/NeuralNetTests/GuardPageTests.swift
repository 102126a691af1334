import Canonical
import TensorCore
import TestSupport
import Testing

@testable import NeuralNet

/// No kernel reads or writes outside of its buffers: all nodes of plans between pages without access, at every
/// instruction set, with the numbers that the plan has.
@Suite(.serialized) struct GuardPageTests {
  private static let random = RandomSource(seed: 1, name: "check")

  /// What isn't part of a plan, and the tests that have it between such pages.
  private static let elsewhere = [
    "sgd": "ParameterUpdateTests", "adam": "ParameterUpdateTests", "dot": "ParameterUpdateTests",
    "differing_bits": "SignCodeTests",
  ]

  @Test(arguments: OpExamples.all) func examples(example: OpExample) throws {
    for compute in try computes() { #expect(try differences(example, compute) == [], "\(compute.kernelSet)") }
  }

  @Test(arguments: FusionTests.cases) func fusedNetworks(network: FusionTests.Case) throws {
    for compute in try computes() {
      #expect(try differences(try FusionTests.graph(network), compute) == [], "\(compute.kernelSet)")
    }
  }

  @Test(arguments: SmallNetworks.all + SmallNetworks.smooth + SmallNetworks.moving + awkward)
  func smallNetworks(network: SmallNetworks.Case) throws {
    for compute in try computes() {
      #expect(try differences(try SmallNetworks.graph(network), compute) == [], "\(compute.kernelSet)")
    }
  }

  @Test(arguments: linear) func bfloat16(network: SmallNetworks.Case) throws {
    for compute in try computes() {
      let graph = try SmallNetworks.graph(network)
      #expect(try differences(graph, precision: .bfloat16, compute) == [], "\(compute.kernelSet)")
    }
  }

  @Test func everyKernelRunsBetweenGuardPages() throws {
    let compute = RecordingKernels.compute()
    for example in OpExamples.all { _ = try differences(example, compute) }
    for network in FusionTests.cases { _ = try differences(try FusionTests.graph(network), compute) }
    for network in SmallNetworks.all + Self.awkward { _ = try differences(try SmallNetworks.graph(network), compute) }
    for network in Self.linear {
      _ = try differences(try SmallNetworks.graph(network), precision: .bfloat16, compute)
    }
    let missing = RecordingKernels.names.subtracting(RecordingKernels.called).subtracting(Self.elsewhere.keys)
    #expect(missing == [], "a network here has to use them, noted by RecordingKernels, or a test of their own")
  }

  private func computes() throws -> [Compute] { try KernelSet.available.map { try Compute(kernels: $0) } }

  private func differences(_ example: OpExample, _ compute: Compute) throws -> [String] {
    let program = try ExampleProgram(example, sharesMemory: false, compute: compute)
    _ = try program.run(program.draw())
    guard !PathResolver.isNeeded(for: program.plan.graph) else { return [] }
    return try GuardedRun(program.plan, random: ExampleProgram.random, compute: compute).differences()
  }

  /// A training step and an evaluation.
  private func differences(
    _ graph: Graph, precision: ExecutionMode.Precision = .single, _ compute: Compute
  ) throws -> [String] {
    let batch = 3, weights = try Weights(graph, random: Self.random)
    let images = SmallNetworks.numbers(batch * graph.type(of: graph.inputs[0]).shape.elementsPerSample)
    let training = try TrainingPlan(
      graph, batch: batch, loss: .crossEntropy(), output: nil,
      mode: ExecutionMode(batchNorm: .batch(updating: true), dropout: true, precision: precision),
      random: Self.random, sharesMemory: false, compute: compute)
    try images.withUnsafeBufferPointer { try training.setInput($0) }
    try SmallNetworks.labels(batch, classes: 3).withUnsafeBufferPointer { try training.setLabels($0) }
    _ = try training.forwardBackward(weights, step: 0)
    let evaluation = try InferencePlan(
      graph, batch: 1, batchNorm: .running, sharesMemory: false, compute: compute)
    _ = try evaluation.run(Array(images.prefix(images.count / batch)), weights)
    return try [training.plan, evaluation.plan].flatMap {
      try GuardedRun($0, random: Self.random, compute: compute).differences()
    }
  }
}

extension GuardPageTests {
  /// Sizes at which whole vectors, tiles and windows don't come out even.
  private static let awkward: [SmallNetworks.Case] = [1, 3, 7, 17, 33, 48].flatMap { channels in
    convolutions(JSONValue.int(channels), channels) + rows(channels)
  }

  private static func convolutions(_ all: JSONValue, _ channels: Int) -> [SmallNetworks.Case] {
    let layer = SmallNetworks.layer, few: JSONValue = 7, others: JSONValue = .int(34 - channels % 32)
    return [
      layer("conv2d", [9, 1, channels], ["channels": all, "kernel": 3]),
      layer("conv2d", [13, 11, channels], ["channels": others, "kernel": 3]),
      layer("conv2d", [6, 5, channels], ["channels": few, "kernel": 1, "stride": 3, "bias": true]),
      layer("conv2d", [7, 9, channels], ["channels": all, "kernel": 5, "groups": all]),
      layer("conv2d", [8, 6, channels], ["channels": all, "kernel": 3, "stride": 2, "groups": all]),
      layer("conv2d", [5, 6, channels], ["channels": few, "kernel": 2, "stride": 4, "padding": 0, "dilation": 2]),
      layer("max_pool", [5, 1, channels], ["kernel": [3, 1], "stride": 2]),
      layer("avg_pool", [9, 8, channels], ["kernel": 3, "stride": 1, "padding": 1, "count_padding": false]),
    ]
  }

  private static let linear = [1, 3, 7, 17, 33, 48].map { channels in
    SmallNetworks.layer("linear", [channels], ["features": .int(2 * channels + 1)])
  }

  private static func rows(_ channels: Int) -> [SmallNetworks.Case] {
    let layer = SmallNetworks.layer
    return [
      layer("layer_norm", [3, 1, channels], [:]), layer("softmax", [3, 1, channels], [:]),
      layer("log_softmax", [2, 2, channels], [:]),
      layer("linear", [channels], ["features": .int(2 * channels + 1)]),
      SmallNetworks.Case(name: "attention over \(channels)", input: [3, 5, channels]) { b, x in
        let rows = try b.apply("reshape", [x], attributes: ["shape": [0, 15, .int(channels)]])
        return try b.apply("scaled_dot_product_attention", [rows, rows, rows])
      },
    ]
  }
}
