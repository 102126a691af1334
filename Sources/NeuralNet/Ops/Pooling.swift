import Canonical
import TensorCore

extension Op {
  private static let windowAttributes = [
    AttributeSchema("kernel", .pair(1...1024), "size of the window"),
    AttributeSchema("stride", .stride, standard: [], "step between outputs; the kernel when absent"),
    AttributeSchema("padding", .padding, standard: 0, "rows and columns added on each side"),
  ]

  /// Maximum over a window; padding never wins. The second output is where each maximum was, for the gradient.
  static let maxPool: Op = Op(
    "max_pool", "Maximum over a window.", attributes: windowAttributes, paddingLanes: .carried,
    resolve: { try Window.resolvingPadding($0) },
    infer: { use in
      let output = try pooled(use)
      return [ValueType(output), ValueType(output, .int32)]
    },
    kernel: { site in
      let geometry = try pooling(site, input: site.inputs[0]), compute = site.compute
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
    infer: { [unpooled($0)] },
    kernel: { site in
      let geometry = try pooling(site, input: site.outputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.maximumBackward(
          geometry, outputGradient: call.input(1), argmax: call.integers(0), inputGradient: call.output(0),
          compute: compute)
      }
    })

  /// Mean over a window. With `count_padding` the divisor is the whole window, else the part inside the image.
  static let avgPool: Op = Op(
    "avg_pool", "Mean over a window.",
    attributes: windowAttributes + [
      AttributeSchema("count_padding", .boolean, standard: true, "whether padding counts in the mean, as zeros")
    ],
    paddingLanes: .carried, resolve: { try Window.resolvingPadding($0) }, infer: { [ValueType(try pooled($0))] },
    kernel: { site in
      let geometry = try pooling(site, input: site.inputs[0]), compute = site.compute
      let countPadding = site.attributes.boolean("count_padding")
      return Kernel { call in
        Pooling.average(
          geometry, countPadding: countPadding, input: call.input(0), output: call.output(0), compute: compute)
      }
    },
    gradient: { site in try site.apply(.avgPoolGradient, [site.outputGradient], site.settingInputSize) },
    onnx: ONNXMapping("AveragePool") { attributes in
      Window.onnx(attributes).merging(["count_include_pad": attributes.boolean("count_padding") ? 1 : 0]) { $1 }
    })

  /// The gradient of average pooling.
  static let avgPoolGradient: Op = Op(
    "avg_pool_gradient", "Gradient of average pooling.", role: .derived, paddingLanes: .carried,
    infer: { [unpooled($0)] },
    kernel: { site in
      let geometry = try pooling(site, input: site.outputs[0]), compute = site.compute
      let countPadding = site.attributes.boolean("count_padding")
      return Kernel { call in
        Pooling.averageBackward(
          geometry, countPadding: countPadding, outputGradient: call.input(0), inputGradient: call.output(0),
          compute: compute)
      }
    })

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
    onnx: ONNXMapping("GlobalAveragePool"))

  /// The gradient of the mean over all positions.
  static let globalAvgPoolGradient: Op = Op(
    "global_avg_pool_gradient", "Gradient of the mean over all positions.", role: .derived, paddingLanes: .carried,
    infer: { [unpooled($0)] },
    kernel: { site in
      let image = site.image(site.outputs[0]), compute = site.compute
      return Kernel { call in
        Pooling.globalAverageBackward(
          image, outputGradient: call.input(0), inputGradient: call.output(0), compute: compute)
      }
    })

  private static func pooled(_ use: OpUse) throws -> Shape {
    let input = try use.image(), window = Window(use.attributes)
    guard window.padding.height * 2 <= window.kernel.height, window.padding.width * 2 <= window.kernel.width else {
      throw use.fault(
        "the padding is more than half the kernel", expected: "at most half of \(use.attributes["kernel"] ?? 0)",
        got: "\(use.attributes["padding"] ?? 0)")
    }
    let size = try window.outputSize(use)
    return .image(size.height, size.width, input.channels)
  }

  private static func unpooled(_ use: OpUse) -> ValueType {
    let size = use.attributes.pair("input")
    return ValueType(.image(size.height, size.width, use.input.shape.channels))
  }

  private static func pooling(_ site: KernelSite, input: ValueType) throws -> PoolingGeometry {
    let window = Window(site.attributes)
    return try PoolingGeometry(
      batch: site.batch, inputHeight: input.shape.height, inputWidth: input.shape.width,
      channels: input.shape.channels, kernel: window.kernel, stride: window.stride, padding: window.padding)
  }
}

extension GradientSite {
  /// The node's attributes with its input's height and width as `input`.
  fileprivate var settingInputSize: Attributes {
    attributes.setting("input", Extent(height: inputs[0].shape.height, width: inputs[0].shape.width).json)
  }
}
