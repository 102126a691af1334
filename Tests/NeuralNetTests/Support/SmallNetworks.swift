import Canonical
import NeuralNet
import TensorCore
import Testing

/// Small networks around one op each, with awkward shapes, and random data for them.
enum SmallNetworks {
  /// A named network: input shape and the layers between it and the classifier.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let input: [Int]
    let body: @Sendable (GraphBuilder, Symbol) throws -> Symbol
    var testDescription: String { name }
  }

  static let all: [Case] =
    convolutions + [
      Case(name: "linear", input: [7]) { b, x in try b.apply("linear", [x], attributes: ["features": 19]) },
      Case(name: "linear without bias", input: [20]) { b, x in
        try b.apply("linear", [x], attributes: ["features": 5, "bias": false])
      },
      layer("batch_norm", [5, 3, 17]), layer("batch_norm", [4, 4, 3], ["affine": false, "epsilon": 0.01]),
      Case(name: "batch_norm of vectors", input: [18]) { b, x in try b.apply("batch_norm", [x]) },
      layer("relu", [3, 3, 5]),
      Case(name: "relu6", input: [3, 3, 5]) { b, x in
        let y = try b.apply("add", [x, x, x, x, x, x])
        return try b.apply("relu6", [y])
      },
      layer("max_pool", [7, 5, 18], ["kernel": 3, "stride": 2, "padding": 1]),
      layer("max_pool", [5, 5, 3], ["kernel": [2, 3], "stride": [3, 1]]),
      layer("avg_pool", [7, 5, 18], ["kernel": 3, "stride": 1, "padding": 1, "count_padding": false]),
      layer("avg_pool", [7, 5, 4], ["kernel": 3, "stride": 2, "padding": 1]),
      layer("avg_pool", [5, 4, 2], ["kernel": 2]),
      layer("global_avg_pool", [3, 5, 20]), layer("flatten", [3, 2, 17]), layer("zero", [5, 3, 4]),
      Case(name: "add", input: [4, 3, 5]) { b, x in
        let y = try b.apply("conv2d", [x], attributes: ["channels": 5, "kernel": 1])
        return try b.apply("add", [x, y, try b.apply("relu", [y]), try b.apply("zero", [x])])
      },
      Case(name: "concat", input: [4, 3, 5]) { b, x in
        let y = try b.apply("conv2d", [x], attributes: ["channels": 18, "kernel": 1])
        return try b.apply("concat", [x, y, try b.apply("relu", [x])])
      },
    ]

  /// Layers that the evaluation in double precision does not know: PyTorch's numbers check them.
  static let smooth: [Case] =
    ["sigmoid", "tanh", "silu", "hard_swish", "gelu", "softplus", "softmax", "log_softmax", "layer_norm", "drop_path"]
    .map { layer($0, [3, 2, 5]) } + [
      Case(name: "channel_gate", input: [3, 2, 18]) { b, x in
        try b.apply("channel_gate", [x, try b.apply("sigmoid", [try b.apply("global_avg_pool", [x])])])
      }
    ]

  /// Layers that move elements, which PyTorch's numbers check too.
  static let moving: [Case] = [
    layer("resize", [5, 3, 18], ["scale": 1.5, "method": "bilinear"]),
    layer("resize", [4, 6, 5], ["height": 3, "width": 9]),
    layer("sort", [3, 2, 5]), layer("sort", [3, 7, 2], ["axis": 3, "descending": true]),
    layer("softmax", [4, 3, 5], ["axis": 2]), layer("log_softmax", [4, 3, 17], ["axis": 3]),
    Case(name: "concat of rows", input: [4, 3, 5]) { b, x in
      try b.apply("concat", [x, try b.apply("relu", [x])], attributes: ["axis": 2])
    },
    Case(name: "gather", input: [3, 2, 18]) { b, x in
      let order = try b.apply("argsort", [x], attributes: ["axis": 2])
      return try b.apply(
        "gather", [x, try b.apply("slice", [order], attributes: ["stop": 1])], attributes: ["axis": 2])
    },
    Case(name: "embedding", input: [3, 2, 5]) { b, x in
      try b.apply("embedding", [try b.apply("argsort", [x])], attributes: ["count": 5, "size": 7])
    },
    Case(name: "one_hot", input: [6]) { b, x in
      try b.apply("one_hot", [try b.apply("argsort", [x])], attributes: ["classes": 6])
    },
  ]

  private static let convolutions: [Case] = [
    layer("conv2d", [5, 7, 3], ["channels": 20, "kernel": 3, "bias": true]),
    layer("conv2d", [6, 6, 17], ["channels": 16, "kernel": 1, "stride": 2]),
    layer("conv2d", [7, 5, 4], ["channels": 6, "kernel": [3, 5], "stride": 2, "groups": 2]),
    layer("conv2d", [9, 8, 18], ["channels": 18, "kernel": 3, "groups": 18, "bias": true]),
    layer("conv2d", [9, 9, 4], ["channels": 8, "kernel": 3, "dilation": 2, "groups": 4]),
    layer("conv2d", [9, 7, 16], ["channels": 32, "kernel": 2, "stride": 3, "padding": 0]),
  ]

  /// A network of one layer.
  static func layer(
    _ op: String, _ input: [Int], _ attributes: [String: JSONValue] = [:]
  ) -> Case {
    let name = ([op] + attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
    return Case(name: "\(name) on \(input)", input: input) { b, x in try b.apply(op, [x], attributes: attributes) }
  }

  /// The layer between a trained convolution (so that its input has a gradient to check) and a classifier.
  static func graph(_ network: Case, classes: Int = 4) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", network.input)])
    var x = builder.inputs[0]
    if x.shape.isImage {
      x = try builder.apply("conv2d", [x], attributes: ["channels": .int(x.shape.channels), "kernel": 1, "bias": true])
    } else {
      x = try builder.apply("linear", [x], attributes: ["features": .int(x.shape.channels)])
    }
    x = try network.body(builder, x)
    x = try builder.apply("flatten", [x])
    return try builder.finish(
      outputs: [("logits", try builder.apply("linear", [x], attributes: ["features": .int(classes)]))])
  }

  /// Standard normal numbers.
  static func numbers(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var stream = RandomStream(seed: seed, name: "numbers")
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  static func labels(_ count: Int, classes: Int, seed: UInt64 = 1) -> [Int32] {
    var stream = RandomStream(seed: seed, name: "labels")
    return (0..<count).map { _ in Int32(stream.uniform(below: classes)) }
  }
}
