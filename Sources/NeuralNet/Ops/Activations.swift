import CKernels
import Canonical
import TensorCore

// Smooth activations. Each has a kernel, its gradient another, and the gradient's own gradient is made of these.

extension Op {
  /// `1 / (1 + e^−x)`.
  static let sigmoid: Op = function(
    "sigmoid", "1 / (1 + e^−x)", NR_SIGMOID, keepsZero: false, onnx: ONNXMapping("Sigmoid")
  ) {
    site in try site.apply(.sigmoidGradient, [site.outputs[0], site.outputGradient])[0]
  }

  /// The gradient of `sigmoid` from its output: `dy · y · (1 − y)`.
  static let sigmoidGradient: Op = gradientFunction("sigmoid_gradient", NR_SIGMOID_GRADIENT) { site in
    [
      try site.curved { try site.scale(site.inputs[0], -2, shift: 1) },
      try site.apply(.sigmoidGradient, [site.inputs[0], site.outputGradient], for: 1),
    ]
  }

  /// The hyperbolic tangent.
  static let tanh: Op = function("tanh", "Hyperbolic tangent.", NR_TANH, onnx: ONNXMapping("Tanh")) { site in
    try site.apply(.tanhGradient, [site.outputs[0], site.outputGradient])[0]
  }

  /// The gradient of `tanh` from its output: `dy · (1 − y²)`.
  static let tanhGradient: Op = gradientFunction("tanh_gradient", NR_TANH_GRADIENT) { site in
    [
      try site.curved { try site.scale(site.inputs[0], -2) },
      try site.apply(.tanhGradient, [site.inputs[0], site.outputGradient], for: 1),
    ]
  }

  /// `x · sigmoid(x)`, also called swish (Ramachandran et al. 2017).
  static let silu: Op = function("silu", "x · sigmoid(x)", NR_SILU, onnx: .silu) { site in
    try site.apply(.siluGradient, [site.inputs[0], site.outputGradient])[0]
  }

  /// The gradient of `silu`: with s = sigmoid(x), `dy · s (1 + x (1 − s))`; its derivative is
  /// `s (1 − s) (2 + x (1 − 2s))`.
  static let siluGradient: Op = gradientFunction("silu_gradient", NR_SILU_GRADIENT) { site in
    let x = site.inputs[0]
    return [
      try site.curved {
        let s = try site.apply(.sigmoid, [x])[0]
        let slope = try site.multiply(s, try site.scale(s, -1, shift: 1))
        let inner = try site.multiply(x, try site.scale(s, -2, shift: 1))
        return try site.multiply(slope, try site.scale(inner, 1, shift: 2))
      },
      try site.apply(.siluGradient, [x, site.outputGradient], for: 1),
    ]
  }

  /// `x · relu6(x + 3) / 6` (Howard et al. 2019, MobileNetV3).
  static let hardSwish: Op = function(
    "hard_swish", "x · relu6(x + 3) / 6", NR_HARD_SWISH, onnx: ONNXMapping("HardSwish")
  ) { site in
    try site.apply(.hardSwishGradient, [site.inputs[0], site.outputGradient])[0]
  }

  /// The gradient of `hard_swish`: 0 below −3, `dy` above 3, `dy · (x / 3 + ½)` between.
  static let hardSwishGradient: Op = gradientFunction("hard_swish_gradient", NR_HARD_SWISH_GRADIENT) { site in
    let x = site.inputs[0], inner = Attributes(["low": -3, "high": 3])
    return [
      site.isWanted[0]
        ? try site.scale(
          try site.apply(
            .clampGradient, [x, try site.multiply(site.outputGradient, site.inputs[1])], inner)[0], 1.0 / 3) : nil,
      try site.apply(.hardSwishGradient, [x, site.outputGradient], for: 1),
    ]
  }

  /// `x · Φ(x)` with the standard normal distribution function (Hendrycks & Gimpel 2016), not its approximations.
  static let gelu: Op = function("gelu", "x · Φ(x), exact", NR_GELU, onnx: .gelu) { site in
    try site.apply(.geluGradient, [site.inputs[0], site.outputGradient])[0]
  }

  /// The gradient of `gelu`: with the standard normal density φ, `dy · (Φ(x) + x φ(x))`; its derivative is
  /// `φ(x) (2 − x²)`.
  static let geluGradient: Op = gradientFunction("gelu_gradient", NR_GELU_GRADIENT) { site in
    let x = site.inputs[0]
    return [
      try site.curved {
        let square = try site.multiply(x, x)
        let density = try site.scale(
          try site.apply(.exp, [try site.scale(square, -0.5)])[0], 0.398_942_280_401_432_7)
        return try site.multiply(density, try site.scale(square, -1, shift: 2))
      },
      try site.apply(.geluGradient, [x, site.outputGradient], for: 1),
    ]
  }

  /// `log(1 + e^x)`.
  static let softplus: Op = function(
    "softplus", "log(1 + e^x)", NR_SOFTPLUS, keepsZero: false, onnx: ONNXMapping("Softplus")
  ) { site in try site.multiply(site.outputGradient, try site.apply(.sigmoid, [site.inputs[0]])[0]) }
}

extension GradientSite {
  /// For a gradient `a, dy -> dy · slope(a)`: the gradient of `a`, if it is wanted, from the slope's derivative.
  fileprivate func curved(_ curvature: () throws -> Symbol) throws -> Symbol? {
    isWanted[0] ? try multiply(try multiply(outputGradient, inputs[1]), try curvature()) : nil
  }
}

extension ONNXMapping {
  fileprivate static let silu = ONNXMapping("Sigmoid") { site in
    let x = site.native(0)
    return ONNXValue(site.add("Mul", [x.name, site.add("Sigmoid", [x.name])]), x.axes)
  }

  /// `x / 2 · (1 + erf(x / √2))`: opset 17 has no operator of its own.
  fileprivate static let gelu = ONNXMapping("Erf") { site in
    let x = site.native(0), scaled = site.scaled(x.name, by: 0.5.squareRoot())
    let twice = site.scaled(site.add("Erf", [scaled]), plus: 1)
    return ONNXValue(site.add("Mul", [site.scaled(x.name, by: 0.5), twice]), x.axes)
  }
}
