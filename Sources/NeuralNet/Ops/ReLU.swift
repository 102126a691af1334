import CKernels
import Canonical
import TensorCore

extension Op {
  /// `max(0, x)`. NaN stays NaN.
  static let relu: Op = function(
    "relu", "max(0, x)", NR_CLAMP, parameters: (0, .infinity), onnx: ONNXMapping("Relu")
  ) { site in try site.apply(.reluGradient, [site.outputs[0], site.outputGradient])[0] }

  /// `min(max(0, x), 6)`.
  static let relu6: Op = function(
    "relu6", "min(max(0, x), 6)", NR_CLAMP, parameters: (0, 6),
    onnx: .clip { _ in (0, 6) }
  ) { site in try site.apply(.relu6Gradient, [site.outputs[0], site.outputGradient])[0] }

  /// The gradient of ReLU from its output: `dy` where `y > 0`, else 0.
  static let reluGradient: Op = gradientFunction("relu_gradient", NR_OPEN_RANGE, parameters: (0, .infinity)) { site in
    [nil, try site.apply(.reluGradient, [site.inputs[0], site.outputGradient], for: 1)]
  }

  /// The gradient of ReLU6 from its output: `dy` where `0 < y < 6`, else 0.
  static let relu6Gradient: Op = gradientFunction("relu6_gradient", NR_OPEN_RANGE, parameters: (0, 6)) { site in
    [nil, try site.apply(.relu6Gradient, [site.inputs[0], site.outputGradient], for: 1)]
  }
}
