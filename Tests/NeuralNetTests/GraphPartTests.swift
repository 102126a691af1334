import NeuralNet
import TensorCore
import Testing

/// Networks taken apart for a latency table.
@Suite struct GraphPartTests {
  private func graph(
    _ cell: String = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_1x1~2|"
  ) throws -> Graph { try NASBench201(channels: 4, cells: 1, size: 8).graph(cell) }

  @Test func partsAreOperatorsWithWhatIsFused() throws {
    let graph = try graph(), parts = try graph.parts()
    #expect(parts.contains { $0.name == "relu conv2d batch_norm" })
    #expect(parts.allSatisfy { $0.graph.nodes.count { $0.op.hasCost } <= 1 })
    #expect(parts.reduce(0) { $0 + $1.graph.macs } == graph.macs)
    // Cells of one stage are alike: fewer parts are different.
    #expect(Set(parts.map(\.key)).count < parts.count)
  }

  /// The first node of this cell is only read by zeros: a plan doesn't compute it, and its convolution is no part.
  @Test func whatOnlyZerosReadIsNoPart() throws {
    let cell = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
    let names = try graph(cell).parts().map(\.name)
    // The stem; in each of three cells the 1×1 convolution; in each of two reductions three convolutions.
    #expect(names.count { $0.contains("conv2d") } == 1 + 3 + 2 * 3)
    #expect(!names.contains { $0.contains("zero") })
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
      let output = plan.output()
      #expect(output.allSatisfy { $0.isFinite })
    }
  }
}
