import Canonical
import TensorCore

extension Op {
  /// Maximum over a window; padding never wins. The second output is where each maximum was, for the gradient.
  static let maxPool: Op = Op(
    "max_pool", "Maximum over a window.", attributes: poolingAttributes, paddingLanes: .carried,
    resolve: { try Window.resolvingPadding($0) },
    infer: { use in
      let output = try pooledShape(use)
      return [ValueType(output), ValueType(output, .int32)]
    },
    kernel: { site in
      let geometry = try poolingGeometry(site, input: site.inputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.maximum(
          geometry, input: call.input(0), output: call.output(0), argmax: call.integerOutput(1), compute: compute)
      }
    },
    gradient: { site in
      try site.apply(.maxPoolGradient, [site.outputs[1], site.outputGradient], site.settingInputSize)
    }, onnx: ONNXMapping("MaxPool", attributes: Window.onnx))

  /// The gradient of max pooling: where each maximum was, `dy` -> `dx`.
  static let maxPoolGradient: Op = Op(
    "max_pool_gradient", "Gradient of max pooling.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
    infer: { [pooledInput($0)] },
    kernel: { site in
      let geometry = try poolingGeometry(site, input: site.outputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.maximumBackward(
          geometry, outputGradient: call.input(1), argmax: call.integers(0), inputGradient: call.output(0),
          compute: compute)
      }
    })
}
