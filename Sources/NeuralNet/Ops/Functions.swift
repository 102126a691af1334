import CKernels
import Canonical
import TensorCore

// Functions of one number, element by element. Their gradients are made of ops that have gradients too, so that any
// order of derivative is there.

extension Op {
  static let exp: Op = function("exp", "e to the power x.", NR_EXP, keepsZero: false, onnx: ONNXMapping("Exp")) {
    site in
    try site.multiply(site.outputGradient, site.outputs[0])
  }
  static let log: Op = function(
    "log", "Natural logarithm; -inf at 0, NaN below.", NR_LOG, keepsZero: false, onnx: ONNXMapping("Log")
  ) { site in try site.divide(site.outputGradient, site.inputs[0]) }
  static let sqrt: Op = function("sqrt", "Square root.", NR_SQRT, onnx: ONNXMapping("Sqrt")) { site in
    try site.scale(site.divide(site.outputGradient, site.outputs[0]), 0.5)
  }
  static let abs: Op = function("abs", "Magnitude.", NR_ABS, onnx: ONNXMapping("Abs")) { site in
    try site.multiply(site.outputGradient, site.apply(.sign, [site.inputs[0]])[0])
  }
  static let sign: Op = function("sign", "-1, 0 or 1.", NR_SIGN, onnx: ONNXMapping("Sign")) { _ in nil }
  /// The derivative of the error function is 2/√π e^(−x²).
  static let erf: Op = function("erf", "Error function.", NR_ERF, onnx: ONNXMapping("Erf")) { site in
    let square = try site.multiply(site.inputs[0], site.inputs[0])
    let bell = try site.apply(.exp, [try site.scale(square, -1)])[0]
    return try site.multiply(site.outputGradient, try site.scale(bell, 1.128_379_167_095_512_6))
  }

  /// `multiply · x + add`.
  static let scale: Op = Op(
    "scale", "multiply · x + add.",
    attributes: [
      AttributeSchema("multiply", .number(-.infinity ... .infinity), standard: 1, "factor"),
      AttributeSchema("add", .number(-.infinity ... .infinity), standard: 0, "summand"),
    ],
    paddingLanes: .cleared, inPlace: .inputs([0]), infer: { [$0.input] },
    kernel: { site in
      let attributes = site.attributes
      let parameters = (Float(attributes.number("multiply")), Float(attributes.number("add")))
      return elementwise(NR_SCALE, site, parameters, keepsZero: parameters.1 == 0)
    },
    gradient: { site in [try site.scale(site.outputGradient, site.attributes.number("multiply"))] },
    onnx: ONNXMapping("Mul") { site in
      let x = site.native(0), attributes = site.attributes
      let y = site.scaled(x.name, by: attributes.number("multiply"), plus: attributes.number("add"))
      return ONNXValue(y, x.axes)
    })

  /// `x ^ exponent`, a number.
  static let pow: Op = Op(
    "pow", "x to a power.", attributes: [AttributeSchema("exponent", .number(-1e6...1e6), "the power")],
    paddingLanes: .cleared, infer: { [$0.input] },
    kernel: { site in
      elementwise(NR_POW, site, (Float(site.attributes.number("exponent")), 0), keepsZero: false)
    },
    gradient: { site in
      let exponent = site.attributes.number("exponent")
      if exponent == 0 { return [nil] }
      let lower = try site.apply(.pow, [site.inputs[0]], Attributes(["exponent": .number(exponent - 1)]))[0]
      return [try site.multiply(site.outputGradient, try site.scale(lower, exponent))]
    },
    onnx: ONNXMapping("Pow") { site in
      let x = site.native(0), exponent = site.number(site.attributes.number("exponent"), "exponent")
      return ONNXValue(site.add("Pow", [x.name, exponent]), x.axes)
    })

  /// `min(max(x, low), high)`.
  static let clamp: Op = Op(
    "clamp", "x brought between two limits.",
    attributes: [
      AttributeSchema("low", .number(-.infinity ... .infinity), "lower limit"),
      AttributeSchema("high", .number(-.infinity ... .infinity), "upper limit"),
    ],
    paddingLanes: .cleared, infer: { [$0.input] },
    kernel: { site in elementwise(NR_CLAMP, site, limits(site.attributes), keepsZero: false) },
    gradient: { site in [try site.apply(.clampGradient, [site.inputs[0], site.outputGradient], site.attributes)[0]] },
    onnx: .clip { ($0.number("low"), $0.number("high")) })

  /// The gradient of `clamp`: the incoming one where x lies within the limits, PyTorch's convention at them.
  static let clampGradient: Op = gradientFunction("clamp_gradient", NR_CLAMP_RANGE) { site in
    [nil, try site.apply(.clampGradient, [site.inputs[0], site.outputGradient], site.attributes)[0]]
  }

  private static func limits(_ attributes: Attributes) -> (Float, Float) {
    (Float(attributes.number("low")), Float(attributes.number("high")))
  }

  // MARK: - How they are made

  static func function(
    _ name: String, _ documentation: String, _ function: nr_unary, parameters: (Float, Float) = (0, 0),
    keepsZero: Bool = true, onnx: ONNXMapping? = nil,
    gradient: @escaping @Sendable (GradientSite) throws -> Symbol?
  ) -> Op {
    Op(
      name, documentation, paddingLanes: keepsZero ? .carried : .cleared, inPlace: .inputs([0]), infer: { [$0.input] },
      kernel: { elementwise(function, $0, parameters, keepsZero: keepsZero) }, gradient: { [try gradient($0)] },
      onnx: onnx)
  }

  /// A gradient as an op: what the derivative is a function of and the incoming gradient, to the gradient.
  static func gradientFunction(
    _ name: String, _ function: nr_binary, parameters: (Float, Float)? = nil,
    gradient: @escaping @Sendable (GradientSite) throws -> [Symbol?]
  ) -> Op {
    Op(
      name, "Gradient of an activation.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
      inPlace: .inputs([0, 1]), infer: { [$0.input] },
      kernel: { site in
        let count = site.elements(site.outputs[0]), compute = site.compute,
          limits = parameters ?? limits(site.attributes)
        return Kernel { call in
          Elementwise.binary(
            function, call.input(0), call.input(1), parameters: limits, result: call.output(0), count: count,
            compute: compute)
        }
      }, gradient: gradient)
  }

  /// A function over the whole buffer; padding lanes are set back to zero where it doesn't keep them.
  private static func elementwise(
    _ function: nr_unary, _ site: KernelSite, _ parameters: (Float, Float) = (0, 0), keepsZero: Bool
  ) -> Kernel {
    let type = site.outputs[0], count = site.elements(type), compute = site.compute
    let channels = type.shape.channels, padding = type.shape.paddingLanes, width = channels + padding
    return Kernel { call in
      Elementwise.unary(
        function, call.input(0), parameters: parameters, result: call.output(0), count: count, compute: compute)
      guard !keepsZero, padding > 0 else { return }
      for row in 0..<(count / width) {
        (call.output(0) + (row * width + channels)).update(repeating: 0, count: padding)
      }
    }
  }
}

extension ONNXMapping {
  /// Limits, which are inputs there.
  static func clip(_ limits: @escaping @Sendable (Attributes) -> (low: Double, high: Double)) -> ONNXMapping {
    ONNXMapping("Clip") { site in
      let x = site.native(0), (low, high) = limits(site.attributes)
      return ONNXValue(site.add("Clip", [x.name, site.number(low, "min"), site.number(high, "max")]), x.axes)
    }
  }
}
