import Canonical
import NeuralNet
import TensorCore
import Testing

/// Inference takes means over positions before linear maps of each position.
@Suite struct EarlyMeanTests {
  private func run(_ graph: Graph, _ input: [Float], batch: Int, fuses: Bool) throws -> [Float] {
    let plan = try InferencePlan(
      graph, batch: batch, batchNorm: .running, sharesMemory: true, fuses: fuses, compute: try Compute())
    return try plan.run(input, try Weights(graph, random: RandomSource(seed: 5, name: "w")))
  }

  private func images(_ count: Int) -> [Float] {
    var stream = RandomStream(seed: 3, name: "images")
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  private func expectSame(_ a: [Float], _ b: [Float]) {
    let scale = b.map { abs($0) }.max() ?? 0
    #expect(!a.isEmpty && zip(a, b).allSatisfy { abs($0 - $1) <= 3e-6 * scale }, "\(a) and \(b)")
  }

  /// A residual block whose last convolution only the mean reads; or one with a ReLU behind it.
  private func residual(channels: Int, hasReLU: Bool) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", [5, 7, channels])]), x = builder.inputs[0]
    func conv(_ x: Symbol, _ channels: Int, bias: Bool) throws -> Symbol {
      try builder.apply(
        "conv2d", [x], attributes: ["channels": .int(channels), "kernel": 1, "bias": .bool(bias)])
    }
    let wide = try builder.apply("relu", [try conv(x, 3 * channels, bias: true)])
    let narrow = try builder.apply("batch_norm", [try conv(wide, channels, bias: false)])
    var sum = try builder.apply("add", [x, narrow, try conv(wide, channels, bias: true)])
    if hasReLU { sum = try builder.apply("relu", [sum]) }
    let y = try builder.apply("linear", [try builder.apply("global_avg_pool", [sum])], attributes: ["features": 3])
    return try builder.finish(outputs: [("y", y)])
  }

  @Test(arguments: [1, 3, 7, 17]) func ofAResidualBlock(channels: Int) throws {
    let graph = try residual(channels: channels, hasReLU: false), input = images(3 * 35 * channels)
    expectSame(try run(graph, input, batch: 3, fuses: true), try run(graph, input, batch: 3, fuses: false))
    let plan = try InferencePlan(graph, batch: 1, compute: try Compute()), ops = plan.plan.steps.map(\.op)
    #expect(ops.filter { $0 == "fused_conv2d" }.count == 1, "\(ops)")
  }

  @Test func notWhereSomebodyReadsTheResult() throws {
    let builder = try GraphBuilder(inputs: [("x", [5, 7, 4])])
    let y = try builder.apply("conv2d", [builder.inputs[0]], attributes: ["channels": 6, "kernel": 1])
    let mean = try builder.apply("global_avg_pool", [y])
    let most = try builder.apply("global_avg_pool", [try builder.apply("relu", [y])])
    let graph = try builder.finish(outputs: [("y", try builder.apply("add", [mean, most]))])
    let ops = try InferencePlan(graph, batch: 1, compute: try Compute()).plan.steps.map(\.op)
    #expect(!ops.contains("mean_over_positions"), "\(ops)")
  }

  @Test func notThroughAnActivation() throws {
    let plan = try InferencePlan(try residual(channels: 3, hasReLU: true), batch: 1, compute: try Compute())
    let ops = plan.plan.steps.map(\.op)
    #expect(ops.filter { $0 == "fused_conv2d" }.count == 3 && ops.contains("global_avg_pool"), "\(ops)")
  }

  @Test(arguments: [3, 17, 48]) func ofTokens(width: Int) throws {
    let builder = try GraphBuilder(inputs: [("x", [6, width])]), x = builder.inputs[0]
    let up = try builder.apply("linear", [x], attributes: ["features": .int(2 * width)])
    let down = try builder.apply(
      "linear", [try builder.apply("gelu", [up])], attributes: ["features": .int(width)])
    let image = try builder.apply(
      "reshape", [try builder.apply("add", [x, down])], attributes: ["shape": [0, 2, 3, .int(width)]])
    let graph = try builder.finish(outputs: [("y", try builder.apply("global_avg_pool", [image]))])
    let input = images(2 * 6 * width)
    expectSame(try run(graph, input, batch: 2, fuses: true), try run(graph, input, batch: 2, fuses: false))
    let plan = try InferencePlan(graph, batch: 1, compute: try Compute()), ops = plan.plan.steps.map(\.op)
    #expect(!ops.contains("reshape") && ops.contains("mean_over_positions"), "\(ops)")
  }

  @Test func anImagesAnswerDoesNotDependOnItsBatch() throws {
    let graph = try residual(channels: 17, hasReLU: false), size = 35 * 17, input = images(3 * size)
    let together = try run(graph, input, batch: 3, fuses: true)
    for image in 0..<3 {
      let alone = try run(graph, Array(input[image * size..<(image + 1) * size]), batch: 1, fuses: true)
      #expect(alone == Array(together[image * 3..<(image + 1) * 3]))
    }
  }
}
