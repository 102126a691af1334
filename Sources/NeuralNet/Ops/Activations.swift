import Diagnostics
import TensorCore

extension Op {
  /// `1 / (1 + e^−x)`.
  static let sigmoid: Op = mapping(
    "sigmoid", "1 / (1 + e^−x)", role: .layer, onnx: ONNXMapping("Sigmoid"),
    map: { _ in { Float(Reproducible.sigmoid(Double($0))) } },
    gradient: { site in try site.apply(.sigmoidGradient, [site.outputs[0], site.outputGradient])[0] })

  /// The gradient of `sigmoid` from its output: `dy · y · (1 − y)`.
  static let sigmoidGradient: Op = outputGradient(
    "sigmoid_gradient", slope: { $0 * (1 - $0) }, curvature: { site, y in try site.scale(y, -2, shift: 1) })

  /// The hyperbolic tangent.
  static let tanh: Op = mapping(
    "tanh", "Hyperbolic tangent.", role: .layer, onnx: ONNXMapping("Tanh"),
    map: { _ in { Float(Reproducible.tanh(Double($0))) } },
    gradient: { site in try site.apply(.tanhGradient, [site.outputs[0], site.outputGradient])[0] })

  /// The gradient of `tanh` from its output: `dy · (1 − y²)`.
  static let tanhGradient: Op = outputGradient(
    "tanh_gradient", slope: { (1 - $0) * (1 + $0) }, curvature: { site, y in try site.scale(y, -2) })

  /// `x · sigmoid(x)`, also called swish (Ramachandran et al. 2017).
  static let silu: Op = gate("silu", "x · sigmoid(x)") { site, x in try site.apply(.sigmoid, [x])[0] }

  /// `x · relu6(x + 3) / 6` (Howard et al. 2019, MobileNetV3).
  static let hardSwish: Op = gate("hard_swish", "x · relu6(x + 3) / 6", onnx: ONNXMapping("HardSwish")) { site, x in
    try site.scale(try site.apply(.relu6, [try site.scale(x, 1, shift: 3)])[0], 1.0 / 6)
  }

  /// `x · Φ(x)` with the standard normal distribution function (Hendrycks & Gimpel 2016), not its approximations.
  static let gelu: Op = gate("gelu", "x · Φ(x), exact") { site, x in try site.apply(.normalDistribution, [x])[0] }

  /// The standard normal distribution function Φ.
  static let normalDistribution: Op = mapping(
    "normal_distribution", "Standard normal distribution function.",
    map: { _ in { Float(Reproducible.normalDistribution(Double($0))) } },
    gradient: { site in
      try site.multiply(site.outputGradient, try site.apply(.normalDensity, [site.inputs[0]])[0])
    })

  /// The standard normal density φ, whose derivative is `−x φ`.
  static let normalDensity: Op = mapping(
    "normal_density", "Standard normal density.",
    map: { _ in { Float(Reproducible.normalDensity(Double($0))) } },
    gradient: { site in
      let slope = try site.scale(try site.multiply(site.inputs[0], site.outputs[0]), -1)
      return try site.multiply(site.outputGradient, slope)
    })

  /// `log(1 + e^x)`.
  static let softplus: Op = mapping(
    "softplus", "log(1 + e^x)", role: .layer, onnx: ONNXMapping("Softplus"),
    map: { _ in { Float(Reproducible.softplus(Double($0))) } },
    gradient: { site in
      try site.multiply(site.outputGradient, try site.apply(.sigmoid, [site.inputs[0]])[0])
    })

  /// A layer `x · g(x)`.
  private static func gate(
    _ name: String, _ documentation: String, onnx: ONNXMapping? = nil,
    _ gate: @escaping @Sendable (ExpansionSite, Symbol) throws -> Symbol
  ) -> Op {
    Op(
      name, documentation, paddingLanes: .carried, infer: { [$0.input] },
      expansion: { site in [try site.multiply(site.inputs[0], try gate(site, site.inputs[0]))] }, onnx: onnx)
  }

  /// The gradient of an activation from its output: `y, dy -> dy · slope(y)`; `curvature` is the slope's derivative.
  private static func outputGradient(
    _ name: String, slope: @escaping @Sendable (Float) -> Float,
    curvature: @escaping @Sendable (GradientSite, Symbol) throws -> Symbol
  ) -> Op {
    Op(
      name, "Gradient from an activation's output.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
      inPlace: .inputs([0, 1]), infer: { [$0.input] },
      kernel: { site in
        let grid = Grid(site, site.inputs[0])
        return Kernel { call in
          let y = call.input(0), dy = call.input(1)
          grid.fill(call.output(0)) { _, _, index in dy[index] * slope(y[index]) }
        }
      },
      gradient: { site in
        let y = site.inputs[0], dy = site.inputs[1], incoming = site.outputGradient
        return [
          try site.multiply(try site.multiply(incoming, dy), try curvature(site, y)),
          try site.applyAgain([y, incoming]),
        ]
      })
  }
}

extension GradientSite {
  /// The node's op on other inputs: the gradient by `dy` of an op that is linear in it.
  fileprivate func applyAgain(_ inputs: [Symbol]) throws -> Symbol {
    guard case .node(let index) = draft.graph.origins[outputs[0].id] else {
      throw Fault(.internal, "a gradient's output has no node", path: path)
    }
    return try apply(draft.graph.nodes[index].op, inputs)[0]
  }
}
