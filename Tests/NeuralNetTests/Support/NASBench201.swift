import Canonical
import NeuralNet

/// The network of NAS-Bench-201 (Dong & Yang 2020, `tiny_network.py`) for an architecture string.
struct NASBench201 {
  var channels = 16
  var cells = 5
  var size = 32
  var classes = 10

  /// `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`.
  func graph(_ architecture: String) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", [size, size, 3])])
    var x = builder.inputs[0]
    x = try scope(builder, "stem") {
      let z = try builder.apply("conv2d", [x], attributes: ["channels": .int(channels), "kernel": 3], name: "conv")
      return try builder.apply("batch_norm", [z], name: "norm")
    }
    let groups = architecture.split(separator: "+").map { group in
      group.split(separator: "|").map { String($0.prefix { $0 != "~" }) }
    }
    for stage in 0..<3 {
      if stage > 0 { x = try scope(builder, "reduction\(stage)") { try reduction(builder, x, channels << stage) } }
      for cell in 1...cells {
        x = try scope(builder, "cell\(stage * cells + cell)") { try self.cell(builder, x, groups) }
      }
    }
    x = try scope(builder, "last") { try builder.apply("relu", [try builder.apply("batch_norm", [x], name: "norm")]) }
    x = try builder.apply("global_avg_pool", [x])
    x = try builder.apply("linear", [x], attributes: ["features": .int(classes)], name: "classifier")
    return try builder.finish(outputs: [("logits", x)])
  }

  private func scope(_ builder: GraphBuilder, _ name: String, _ body: () throws -> Symbol) throws -> Symbol {
    try builder.pushScope(name)
    defer { builder.popScope() }
    return try body()
  }

  /// ReLU, convolution, batch norm in a scope.
  private func unit(
    _ builder: GraphBuilder, _ x: Symbol, _ channels: Int, kernel: Int, stride: Int = 1, name: String
  ) throws -> Symbol {
    try scope(builder, name) {
      let z = try builder.apply(
        "conv2d", [try builder.apply("relu", [x])],
        attributes: ["channels": .int(channels), "kernel": .int(kernel), "stride": .int(stride)], name: "conv")
      return try builder.apply("batch_norm", [z], name: "norm")
    }
  }

  private func reduction(_ builder: GraphBuilder, _ x: Symbol, _ channels: Int) throws -> Symbol {
    let a = try unit(builder, x, channels, kernel: 3, stride: 2, name: "a")
    let b = try unit(builder, a, channels, kernel: 3, name: "b")
    let pooled = try builder.apply("avg_pool", [x], attributes: ["kernel": 2])
    let shortcut = try builder.apply(
      "conv2d", [pooled], attributes: ["channels": .int(channels), "kernel": 1], name: "shortcut")
    return try builder.apply("add", [shortcut, b])
  }

  private func cell(_ builder: GraphBuilder, _ x: Symbol, _ groups: [[String]]) throws -> Symbol {
    var nodes = [x]
    for (node, group) in groups.enumerated() {
      let terms = try group.enumerated().map { source, op in
        try edge(builder, op, nodes[source], name: "\(source)to\(node + 1)")
      }
      nodes.append(terms.count == 1 ? terms[0] : try builder.apply("add", terms))
    }
    return nodes[nodes.count - 1]
  }

  private func edge(_ builder: GraphBuilder, _ op: String, _ x: Symbol, name: String) throws -> Symbol {
    switch op {
    case "none": return try builder.apply("zero", [x], name: name)
    case "avg_pool_3x3":
      return try builder.apply(
        "avg_pool", [x], attributes: ["kernel": 3, "stride": 1, "padding": 1, "count_padding": false], name: name)
    case "nor_conv_1x1", "nor_conv_3x3":
      return try unit(builder, x, x.shape.channels, kernel: op == "nor_conv_1x1" ? 1 : 3, name: name)
    default: return x
    }
  }
}
