import Canonical
import TensorCore

extension Op {
  /// Mean over all positions, `[N, H, W, C] -> [N, C]`.
  static let globalAvgPool: Op = Op(
    "global_avg_pool", "Mean over all positions.", paddingLanes: .carried,
    infer: { [ValueType(.vector(try $0.image().channels))] },
    kernel: { site in
      let image = site.image(site.inputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.globalAverage(image, input: call.input(0), output: call.output(0), compute: compute)
      }
    },
    gradient: { site in try site.apply(.globalAvgPoolGradient, [site.outputGradient], site.settingInputSize) },
    onnx: ONNXMapping("GlobalAveragePool") { site in
      site.plain(site.add("Flatten", [site.add("GlobalAveragePool", [site.image(0)])], ["axis": 1]))
    })

  /// The gradient of the mean over all positions.
  static let globalAvgPoolGradient: Op = Op(
    "global_avg_pool_gradient", "Gradient of the mean over all positions.", role: .derived, paddingLanes: .carried,
    infer: { [pooledInput($0)] },
    kernel: { site in
      let image = site.image(site.outputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.globalAverageBackward(
          image, outputGradient: call.input(0), inputGradient: call.output(0), compute: compute)
      }
    },
    gradient: { site in [try site.apply(.globalAvgPool, [site.outputGradient])[0]] })
}
