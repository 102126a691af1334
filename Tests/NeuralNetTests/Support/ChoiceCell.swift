import Canonical
import NeuralNet

/// A small network of NAS-Bench-201's kind: a stem, two cells of three nodes and three edges, a classifier. Each edge is
/// one of five operations, or a choice among them.
struct ChoiceCell {
  static let operations = ["none", "skip", "conv1", "conv3", "pool"]
  static let edges = ["0to1", "0to2", "1to2"]
  var channels = 8
  var size = 8
  /// Whether the supernet mixes its branches by weights at `alpha/<cell>/<edge>` instead of choosing.
  var isMixing = false

  /// The network of one architecture, the operations of the three edges; nil for the supernet of all.
  func graph(_ architecture: [String]?) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", [size, size, 3])])
    var x = try builder.apply(
      "conv2d", builder.inputs, attributes: ["channels": .int(channels), "kernel": 3], name: "stem")
    for cell in 1...2 {
      x = try scope(builder, "cell\(cell)") { try self.cell(builder, x, architecture) }
    }
    x = try builder.apply("global_avg_pool", [try builder.apply("relu", [x])])
    x = try builder.apply("linear", [x], attributes: ["features": 4], name: "classifier")
    return try builder.finish(outputs: [("logits", x)])
  }

  private func cell(_ builder: GraphBuilder, _ x: Symbol, _ architecture: [String]?) throws -> Symbol {
    let first = try edge(builder, x, 0, architecture)
    return try builder.apply("add", [try edge(builder, x, 1, architecture), try edge(builder, first, 2, architecture)])
  }

  private func edge(_ builder: GraphBuilder, _ x: Symbol, _ index: Int, _ architecture: [String]?) throws -> Symbol {
    try scope(builder, Self.edges[index]) {
      func branch(_ option: String) throws -> Symbol {
        try scope(builder, option) { try operation(builder, x, option) }
      }
      if let architecture { return try branch(architecture[index]) }
      let branches = try Self.operations.map { (option: $0, value: try branch($0)) }
      if isMixing {
        let weights = try builder.mixingWeights("alpha/" + builder.scopePath, count: branches.count)
        return try builder.apply("weighted_sum", [weights] + branches.map(\.value))
      }
      return try builder.choice(decision: Self.edges[index], branches: branches)
    }
  }

  private func operation(_ builder: GraphBuilder, _ x: Symbol, _ option: String) throws -> Symbol {
    switch option {
    case "none": return try builder.apply("zero", [x])
    case "pool":
      return try builder.apply(
        "avg_pool", [x], attributes: ["kernel": 3, "stride": 1, "padding": 1, "count_padding": false])
    case "conv1", "conv3":
      let z = try builder.apply(
        "conv2d", [try builder.apply("relu", [x])],
        attributes: ["channels": .int(channels), "kernel": option == "conv1" ? 1 : 3])
      return try builder.apply("batch_norm", [z])
    default: return x
    }
  }

  private func scope(_ builder: GraphBuilder, _ name: String, _ body: () throws -> Symbol) throws -> Symbol {
    try builder.pushScope(name)
    defer { builder.popScope() }
    return try body()
  }

  /// All 125 architectures.
  static var all: [[String]] {
    operations.flatMap { a in operations.flatMap { b in operations.map { [a, b, $0] } } }
  }

  /// The positions of the options.
  static func selection(_ architecture: [String]) -> [[Int]] {
    architecture.map { [operations.firstIndex(of: $0) ?? 0] }
  }
}
