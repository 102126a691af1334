import Canonical
import TensorCore

extension Op {
  /// Mean over a window. With `count_padding` the divisor is the whole window, else the part inside the image.
  static let avgPool: Op = Op(
    "avg_pool", "Mean over a window.",
    attributes: poolingAttributes + [
      AttributeSchema("count_padding", .boolean, standard: true, "whether padding counts in the mean, as zeros")
    ],
    paddingLanes: .carried, resolve: { try Window.resolvingPadding($0) }, infer: { [ValueType(try pooledShape($0))] },
    kernel: { site in
      let geometry = try poolingGeometry(site, input: site.inputs[0]), compute = site.compute
      let countPadding = site.attributes.boolean("count_padding")
      return Kernel { call in
        Pooling.average(
          geometry, countPadding: countPadding, input: call.input(0), output: call.output(0), compute: compute)
      }
    },
    gradient: { site in try site.apply(.avgPoolGradient, [site.outputGradient], site.settingInputSize) },
    onnx: ONNXMapping("AveragePool") { site in
      var attributes = Window.onnx(site.attributes)
      // Opset 17 knows no gaps here.
      attributes["dilations"] = nil
      attributes["count_include_pad"] = site.attributes.boolean("count_padding") ? 1 : 0
      return site.image(site.add("AveragePool", [site.image(0)], attributes))
    })

  /// The gradient of average pooling.
  static let avgPoolGradient: Op = Op(
    "avg_pool_gradient", "Gradient of average pooling.", role: .derived, paddingLanes: .carried,
    infer: { [pooledInput($0)] },
    kernel: { site in
      let geometry = try poolingGeometry(site, input: site.outputs[0]), compute = site.compute
      let countPadding = site.attributes.boolean("count_padding")
      return Kernel { call in
        Pooling.averageBackward(
          geometry, countPadding: countPadding, outputGradient: call.input(0), inputGradient: call.output(0),
          compute: compute)
      }
    },
    gradient: { site in [try site.apply(.avgPool, [site.outputGradient], site.attributes)[0]] })
}
