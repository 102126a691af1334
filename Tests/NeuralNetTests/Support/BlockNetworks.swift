import Canonical
import NeuralNet

/// Networks of other blocks than cells, as the benchmark has them, in any size.
enum BlockNetworks {
  /// Inverted bottlenecks with ReLU6 (Sandler et al. 2018, "MobileNetV2"): one for each kernel size.
  static func mobile(kernels: [Int] = [3, 5], channels: Int = 16, expand: Int = 6, size: Int = 14) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", [size, size, 1])])
    var x = builder.inputs[0]
    x = try builder.apply("relu6", [try unit(builder, x, channels, kernel: 3, name: "stem")])
    for (index, kernel) in kernels.enumerated() {
      let wide = channels * expand, name = "block\(index + 1)"
      let expanded = try builder.apply("relu6", [try unit(builder, x, wide, kernel: 1, name: "\(name)_expand")])
      let deep = try builder.apply(
        "relu6", [try unit(builder, expanded, wide, kernel: kernel, groups: wide, name: "\(name)_depthwise")])
      x = try builder.apply("add", [x, try unit(builder, deep, channels, kernel: 1, name: "\(name)_project")])
    }
    return try classified(builder, x)
  }

  /// Convolution and batch norm.
  private static func unit(
    _ builder: GraphBuilder, _ x: Symbol, _ channels: Int, kernel: Int, groups: Int = 1, name: String
  ) throws -> Symbol {
    let z = try builder.apply(
      "conv2d", [x], attributes: ["channels": .int(channels), "kernel": .int(kernel), "groups": .int(groups)],
      name: "\(name)_conv")
    return try builder.apply("batch_norm", [z], name: "\(name)_norm")
  }

  /// A Transformer block, normalisation first (Dosovitskiy et al. 2021), on patches of 4×4 pixels.
  static func transformer(width: Int = 48, heads: Int = 3, size: Int = 16) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", [size, size, 3])]), side = size / 4
    func linear(_ x: Symbol, _ features: Int, _ name: String) throws -> Symbol {
      try builder.apply("linear", [x], attributes: ["features": .int(features)], name: name)
    }
    func shaped(_ x: Symbol, _ extents: [Int]) throws -> Symbol {
      try builder.apply("reshape", [x], attributes: ["shape": .array(extents.map { .int($0) })])
    }
    let patches = try builder.apply(
      "conv2d", [builder.inputs[0]],
      attributes: ["channels": .int(width), "kernel": 4, "stride": 4, "padding": 0, "bias": true], name: "patches")
    var x = try shaped(patches, [0, side * side, width])
    let a = try builder.apply("layer_norm", [x], name: "norm1")
    let mixed = try builder.apply(
      "scaled_dot_product_attention", try ["query", "key", "value"].map { try linear(a, width, $0) },
      attributes: ["heads": .int(heads)], name: "attention")
    x = try builder.apply("add", [x, try linear(mixed, width, "output")])
    let up = try linear(try builder.apply("layer_norm", [x], name: "norm2"), 4 * width, "up")
    x = try builder.apply("add", [x, try linear(try builder.apply("gelu", [up]), width, "down")])
    return try classified(builder, try shaped(x, [0, side, side, width]))
  }

  private static func classified(_ builder: GraphBuilder, _ x: Symbol) throws -> Graph {
    let pooled = try builder.apply("global_avg_pool", [x])
    let logits = try builder.apply("linear", [pooled], attributes: ["features": 10], name: "classifier")
    return try builder.finish(outputs: [("logits", logits)])
  }
}
