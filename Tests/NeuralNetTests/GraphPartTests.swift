import NeuralNet
import TensorCore
import Testing

/// Networks taken apart for a latency table.
@Suite struct GraphPartTests {
  private let graph = {
    try NASBench201(channels: 4, cells: 1, size: 8).graph(
      "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
  }

  @Test func partsAreOperatorsWithWhatIsFused() throws {
    let graph = try graph(), parts = try graph.parts()
    #expect(parts.contains { $0.name == "relu conv2d batch_norm" })
    #expect(parts.allSatisfy { $0.graph.nodes.count { $0.op.hasCost } <= 1 })
    #expect(parts.reduce(0) { $0 + $1.graph.macs } == graph.macs)
    // Cells of one stage are alike: fewer parts are different.
    #expect(Set(parts.map(\.key)).count < parts.count)
  }

  /// Each part computes by itself, with a plan of its own.
  @Test func partsRun() throws {
    let compute = try Compute()
    for part in try graph().parts() {
      let plan = try InferencePlan(part.graph, batch: 1, compute: compute)
      for port in plan.inputs {
        let count = part.graph.type(of: port).shape.elementsPerSample
        try [Float](repeating: 1, count: count).withUnsafeBufferPointer { try plan.setInput($0, of: port) }
      }
      try plan.run(try Weights(part.graph, random: RandomSource(seed: 1, name: "w")))
      #expect(plan.output().allSatisfy(\.isFinite))
    }
  }
}
