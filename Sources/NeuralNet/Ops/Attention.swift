import Canonical
import TensorCore

extension Op {
  /// Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1): queries `[N, T, D]`, keys and values `[N, S, D]`
  /// -> `[N, T, D]`. The heads are equal parts of the last axis, next to each other; in each
  /// `softmax(q kᵀ / √(D / heads)) v`.
  static let scaledDotProductAttention: Op = Op(
    "scaled_dot_product_attention", "Attention of queries to keys, by which values are mixed.", arity: .exactly(3),
    attributes: [
      AttributeSchema("heads", .integer(1...largestExtent), standard: 1, "a divisor of D"),
      AttributeSchema("causal", .boolean, standard: false, "a token sees itself and those before it alone"),
    ],
    paddingLanes: .cleared, infer: { [try attended($0)] },
    macs: { inputs, _, _ in 2 * inputs[0].shape.elementsPerSample * inputs[1].shape.dimensions[0] },
    kernel: { site in
      let attention = TensorCore.Attention(site), compute = site.compute
      return Kernel(scratchFloats: attention.scratchFloats(compute: compute)) { call in
        attention.forward(
          query: call.input(0), key: call.input(1), value: call.input(2), output: call.output(0),
          scratch: call.scratch, compute: compute)
      }
    },
    gradient: { site in try site.apply(.attentionGradient, site.inputs + [site.outputGradient], site.attributes) },
    onnx: .attention)

  /// The gradients of an attention: `q, k, v, dy -> dq, dk, dv`.
  static let attentionGradient: Op = Op(
    "attention_gradient", "Gradients of an attention.", role: .derived, arity: .exactly(4), paddingLanes: .cleared,
    infer: { Array($0.inputs.prefix(3)) },
    kernel: { site in
      let attention = TensorCore.Attention(site), compute = site.compute
      return Kernel(scratchFloats: attention.scratchFloats(compute: compute)) { call in
        attention.backward(
          query: call.input(0), key: call.input(1), value: call.input(2), outputGradient: call.input(3),
          queryGradient: call.output(0), keyGradient: call.output(1), valueGradient: call.output(2),
          scratch: call.scratch, compute: compute)
      }
    },
    gradient: { site in
      let output = try site.attentionInPrimitives()
      let equal = try site.draft.partialGradients(
        of: [output], from: [site.inputs[3]], wrt: Array(site.inputs.prefix(3)))
      return try site.draft.partialGradients(
        of: equal.compactMap { $0 }, from: site.outputGradients, wrt: site.inputs)
    })

  private static func attended(_ use: OpUse) throws -> ValueType {
    let shapes = use.inputs.map(\.shape), heads = use.attributes.integer("heads")
    guard shapes.allSatisfy({ $0.hasBatch && $0.dimensions.count == 2 }), shapes[1] == shapes[2],
      shapes[0].channels == shapes[1].channels
    else {
      throw use.fault(
        "the inputs don't fit", expected: "queries [N, T, D], keys and values [N, S, D]",
        got: shapes.map(\.description).joined(separator: ", "))
    }
    guard shapes[0].channels % heads == 0 else {
      throw use.fault("heads must divide the width", expected: "a divisor of \(shapes[0].channels)", got: "\(heads)")
    }
    return use.input
  }
}

extension TensorCore.Attention {
  fileprivate init(_ site: KernelSite) {
    let query = site.inputs[0].shape, key = site.inputs[1].shape
    self.init(
      samples: site.batch, length: query.dimensions[0], keyLength: key.dimensions[0], width: query.channels,
      heads: site.attributes.integer("heads"), isCausal: site.attributes.boolean("causal"))
  }
}

extension GradientSite {
  /// The attention of the first three inputs, from ops that are differentiable any number of times.
  fileprivate func attentionInPrimitives() throws -> Symbol {
    let heads = attributes.integer("heads"), width = inputs[0].shape.channels, size = width / heads
    let swap = Attributes(["order": [1, 3, 2, 4]])
    func split(_ x: Symbol) throws -> Symbol {
      let parts = Shape.activation([x.shape.dimensions[0], heads, size])
      return try apply(.transpose, apply(.reshape, [x], .dimensions(of: parts)), swap)[0]
    }
    let products = try apply(
      .matmul, [try split(inputs[0]), try split(inputs[1])],
      Attributes(["transpose_a": false, "transpose_b": true]))[0]
    var scores = try scale(products, 1 / Double(size).squareRoot())
    if attributes.boolean("causal") {
      let length = inputs[0].shape.dimensions[0], keys = inputs[1].shape.dimensions[0]
      let mask = (0..<length).flatMap { row in (0..<keys).map { JSONValue.number($0 > row ? -1e9 : 0) } }
      let hidden = try apply(
        .literal, [], Attributes(["values": .array(mask), "shape": [.int(length), .int(keys)]]))[0]
      scores = try apply(.plus, [scores, hidden])[0]
    }
    let mixed = try apply(
      .matmul, [try apply(.softmaxRows, [scores])[0], try split(inputs[2])],
      Attributes(["transpose_a": false, "transpose_b": false]))
    return try apply(.reshape, apply(.transpose, mixed, swap), .dimensions(of: inputs[0].shape))[0]
  }
}

extension ONNXMapping {
  /// Opset 17 has no operator of its own: heads apart, products, softmax, products, heads together.
  fileprivate static let attention = ONNXMapping("Softmax") { site in
    let heads = site.attributes.integer("heads"), width = site.shape(0).channels, size = width / heads
    let length = site.shape(0).dimensions[0], keys = site.shape(1).dimensions[0]
    func split(_ input: Int, _ order: JSONValue) -> String {
      let parts = site.integers([0, site.shape(input).dimensions[0], heads, size], "heads")
      return site.add("Transpose", [site.add("Reshape", [site.plain(input), parts])], ["perm": order])
    }
    let products = site.add("MatMul", [split(0, [0, 2, 1, 3]), split(1, [0, 2, 3, 1])])
    var scores = site.scaled(products, by: 1 / Double(size).squareRoot())
    if site.attributes.boolean("causal") {
      let mask = (0..<length).flatMap { row in (0..<keys).map { $0 > row ? Float(-1e9) : 0 } }
      scores = site.add("Add", [scores, site.floats(mask, "mask", shape: [length, keys])])
    }
    let mixed = site.add("MatMul", [site.add("Softmax", [scores], ["axis": -1]), split(2, [0, 2, 1, 3])])
    let joined = site.add("Transpose", [mixed], ["perm": [0, 2, 1, 3]])
    return site.plain(site.add("Reshape", [joined, site.integers([0, length, width], "shape")]))
  }
}
