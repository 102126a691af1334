import Canonical
import TensorCore

extension Op {
  /// `max(0, x)`. NaN stays NaN.
  static let relu: Op = activation(
    "relu", "max(0, x)", kernel: { Elementwise.relu($0, result: $1, count: $2, compute: $3) },
    gradient: { .reluGradient }, onnx: ONNXMapping("Relu"))

  /// `min(max(0, x), 6)`.
  static let relu6: Op = activation(
    "relu6", "min(max(0, x), 6)", kernel: { Elementwise.relu6($0, result: $1, count: $2, compute: $3) },
    gradient: { .relu6Gradient },
    onnx: ONNXMapping("Clip") { _ in ["min": 0, "max": 6] })

  /// The gradient of ReLU from its output: `dy` where `y > 0`, else 0.
  static let reluGradient: Op = activationGradient(
    "relu_gradient", same: { .reluGradient },
    kernel: {
      Elementwise.reluBackward(output: $0, outputGradient: $1, inputGradient: $2, count: $3, compute: $4)
    })

  /// The gradient of ReLU6 from its output: `dy` where `0 < y < 6`, else 0.
  static let relu6Gradient: Op = activationGradient(
    "relu6_gradient", same: { .relu6Gradient },
    kernel: {
      Elementwise.relu6Backward(output: $0, outputGradient: $1, inputGradient: $2, count: $3, compute: $4)
    })

  private static func activation(
    _ name: String, _ documentation: String,
    kernel: @escaping @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int, Compute) -> Void,
    gradient: @escaping @Sendable () -> Op, onnx: ONNXMapping
  ) -> Op {
    Op(
      name, documentation, paddingLanes: .carried, inPlace: .inputs([0]), infer: { [$0.input] },
      kernel: { site in
        let count = site.elements(site.inputs[0]), compute = site.compute
        return Kernel { call in kernel(call.input(0), call.output(0), count, compute) }
      },
      gradient: { site in try site.apply(gradient(), [site.outputs[0], site.outputGradient]) }, onnx: onnx)
  }

  /// It is linear in `dy`, so its own gradient is the same op.
  private static func activationGradient(
    _ name: String, same: @escaping @Sendable () -> Op,
    kernel:
      @escaping @Sendable (
        UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int, Compute
      ) -> Void
  ) -> Op {
    Op(
      name, "Gradient from an activation's output.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
      inPlace: .inputs([0, 1]), infer: { [$0.input] },
      kernel: { site in
        let count = site.elements(site.inputs[0]), compute = site.compute
        return Kernel { call in kernel(call.input(0), call.input(1), call.output(0), count, compute) }
      },
      gradient: { site in [nil, try site.apply(same(), [site.inputs[0], site.outputGradient], for: 1)] })
  }
}
