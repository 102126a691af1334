import Canonical
import Diagnostics
import Foundation
import NeuralNet
import TestSupport
import Testing

@Suite struct GraphTests {
  /// Closed forms of NAS-Bench-201's own counts for CIFAR-10 (C = 16, N = 5), with n1 1×1 and n3 3×3 convolutions;
  /// dead edges count too.
  @Test(
    arguments: [
      ("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|", 2, 0),
      ("|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|", 0, 3),
      ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|", 0, 6),
      ("|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|", 1, 1),
      ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 0, 0),
    ])
  func countsAreThoseOfNASBench201(architecture: String, n1: Int, n3: Int) throws {
    let graph = try NASBench201().graph(architecture)
    #expect(graph.parameterCount == 73_306 + 28_000 * n1 + 243_040 * n3)
    #expect(graph.macs == 7_783_050 + 3_932_160 * n1 + 35_389_440 * n3)
  }

  private func network(scope: String, name: String?, flipped: Bool = false, dead: Bool = false, channels: Int = 4)
    throws -> Graph
  {
    let builder = try GraphBuilder(inputs: [(scope + "_in", [6, 6, 3])])
    let x = builder.inputs[0]
    let convolution: [String: JSONValue] = ["channels": .int(channels), "kernel": 3]
    try builder.pushScope(scope)
    let first = try builder.apply(flipped ? "relu6" : "relu", [x])
    let second = try builder.apply(flipped ? "relu" : "relu6", [x])
    if dead { _ = try builder.apply("conv2d", [x], attributes: convolution, name: "dead") }
    let pair = flipped ? [second, first] : [first, second]
    let y = try builder.apply("conv2d", [try builder.apply("add", pair)], attributes: convolution, name: name)
    return try builder.finish(outputs: [(scope, y)])
  }

  @Test func theDigestSeesTheComputationAndNotItsNames() throws {
    let digest = try network(scope: "a", name: nil).digest
    #expect(try network(scope: "b", name: "other").digest == digest)
    #expect(try network(scope: "a", name: nil, flipped: true).digest == digest)
    #expect(try network(scope: "a", name: nil, dead: true).digest == digest)
    #expect(try network(scope: "a", name: nil, channels: 5).digest != digest)
    #expect(try network(scope: "a", name: nil).parametersDigest != network(scope: "b", name: nil).parametersDigest)
  }

  @Test func jsonReadsBack() throws {
    let graph = try NASBench201(cells: 1).graph(
      "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|")
    let back = try Graph(json: try JSONValue(parsing: Array(graph.json.text().utf8), source: "t"), source: "t")
    #expect(back.json == graph.json)
    #expect(back.digest == graph.digest)
    #expect(back.parametersDigest == graph.parametersDigest)
    #expect(back.macs == graph.macs)
  }

  @Test func parametersOfNoLayerAreReadBack() throws {
    let builder = try GraphBuilder(inputs: [("x", [4])])
    let weights = try builder.parameter("mixture", [2], initialiser: .normal(deviation: 0.25))
    let other = try builder.apply("relu", builder.inputs)
    let y = try builder.apply("weighted_sum", [weights, builder.inputs[0], other])
    let graph = try builder.finish(outputs: [("y", y)]), copy = try Graph(json: graph.json, source: "g.json")
    #expect(copy.json == graph.json)
    #expect(copy.digest == graph.digest)
    #expect(copy.parameters.map(\.path) == ["mixture"])
    #expect(copy.parameterCount == 2)
  }

  @Test func damagedJSONIsNamed() throws {
    var text = try network(scope: "a", name: nil).json.text()
    #expect(
      throws: Fault(
        .data, "net.json is not a graph that this version reads", expected: "nasrun.graph, version 1",
        got: "\"nasrun.graph\", version 9", cause: "wrong format")
    ) {
      try read(text.replacingOccurrences(of: "\"version\":1", with: "\"version\":9"))
    }
    text = text.replacingOccurrences(of: "\"channels\":4", with: "\"channels\":-4")
    #expect(throws: (any Error).self) { try read(text) }
  }

  private func read(_ text: String) throws -> Graph {
    try Graph(json: try JSONValue(parsing: Array(text.utf8), source: "net.json"), source: "net.json")
  }

  @Test func everyOpOfTheTableIsDocumentedAndFindable() {
    for op in OpTable.all {
      #expect(!op.documentation.isEmpty)
      #expect(OpTable.named(op.name)?.name == op.name)
      #expect(op.attributes.allSatisfy { !$0.documentation.isEmpty })
      #expect(op.role == .derived || op.isExportable, "\(op.name)")
    }
  }
}
