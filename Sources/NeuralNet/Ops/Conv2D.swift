import Canonical
import TensorCore

extension Op {
  /// Convolution `[N, H, W, C] -> [N, H', W', channels]`:
  /// `y[n, i, j, o] = bias[o] + Σ x[n, s·i + d·ky − p, s·j + d·kx − p, c] · weight[ky, kx, c, o]`.
  static let conv2d: Op = Op(
    "conv2d", "Convolution of images, grouped down to depthwise.",
    attributes: [
      AttributeSchema("channels", .integer(1...largestExtent), "output channels"),
      AttributeSchema("kernel", .pair(1...1024), "size of the kernel"),
      AttributeSchema("stride", .pair(1...1024), standard: 1, "step between outputs"),
      AttributeSchema("padding", .padding, standard: "same", "zeros on each side; \"same\" is half the dilated kernel"),
      AttributeSchema("dilation", .pair(1...1024), standard: 1, "step between the kernel's taps"),
      AttributeSchema("groups", .integer(1...largestExtent), standard: 1, "groups of channels that don't mix"),
      AttributeSchema("bias", .boolean, standard: false, "add a trained constant per channel"),
    ],
    paddingLanes: .cleared, resolve: { try Window.resolvingPadding($0) },
    infer: { use in
      let input = try use.image()
      let groups = use.attributes.integer("groups"), channels = use.attributes.integer("channels")
      guard input.channels % groups == 0, channels % groups == 0 else {
        throw use.fault(
          "groups must divide the channels", expected: "a divisor of \(input.channels) and \(channels)",
          got: "\(groups)")
      }
      let size = try Window(use.attributes).outputSize(use)
      return [ValueType(.image(size.height, size.width, channels))]
    },
    parameters: { use in
      let attributes = use.attributes, kernel = attributes.pair("kernel"), channels = attributes.integer("channels")
      let depth = use.input.shape.channels / attributes.integer("groups")
      let initialiser = Initialiser.standard(fanIn: kernel.height * kernel.width * depth)
      let weight = ParameterDeclaration(
        name: "weight", dimensions: [kernel.height, kernel.width, depth, channels], kind: .weight,
        initialiser: initialiser)
      let bias = ParameterDeclaration(name: "bias", dimensions: [channels], kind: .bias, initialiser: initialiser)
      return attributes.boolean("bias") ? [weight, bias] : [weight]
    },
    macs: { inputs, outputs, _ in outputs[0].shape.elementsPerSample * inputs[1].shape.dimensions[0..<3].reduce(1, *) },
    kernel: { .convolution(try convolutionGeometry($0, input: $0.inputs[0], output: $0.outputs[0]), $0) },
    gradient: { site in
      let x = site.inputs[0], weight = site.inputs[1], dy = site.outputGradient
      let size = Extent(height: x.shape.height, width: x.shape.width)
      let dx = try site.apply(
        .conv2dInputGradient, [dy, weight], site.attributes.setting("input", size.json), for: 0)
      let dw = try site.apply(.conv2dWeightGradient, [x, dy], site.attributes, for: 1)
      return [dx, dw] + (site.inputs.count > 2 ? [try site.apply(.channelSum, [dy], for: 2)] : [])
    },
    onnx: ONNXMapping("Conv") { attributes in
      Window.onnx(attributes).merging(["group": .int(attributes.integer("groups"))]) { $1 }
    })

  /// The gradient of a convolution's input: `[N, H', W', channels]`, weight -> `[N, H, W, C]`, with the convolution's
  /// attributes and the input's size as `input`.
  static let conv2dInputGradient: Op = Op(
    "conv2d_input_gradient", "Gradient of a convolution's input.", role: .derived, arity: .exactly(2),
    paddingLanes: .cleared,
    infer: { use in
      let size = use.attributes.pair("input")
      let channels = use.inputs[1].shape.dimensions[2] * use.attributes.integer("groups")
      return [ValueType(.image(size.height, size.width, channels))]
    },
    kernel: { .convolutionInputGradient(try convolutionGeometry($0, input: $0.outputs[0], output: $0.inputs[0]), $0) },
    gradient: { site in
      let dy = site.inputs[0], weight = site.inputs[1], incoming = site.outputGradient
      return [
        try site.apply(.conv2d, [incoming, weight], site.attributes, for: 0),
        try site.apply(.conv2dWeightGradient, [incoming, dy], site.attributes, for: 1),
      ]
    })

  /// The gradient of a convolution's weight: `[N, H, W, C]`, `[N, H', W', channels]` -> `[ky, kx, C / groups, channels]`.
  static let conv2dWeightGradient: Op = Op(
    "conv2d_weight_gradient", "Gradient of a convolution's weight.", role: .derived, arity: .exactly(2),
    paddingLanes: .none,
    infer: { use in
      let kernel = use.attributes.pair("kernel"), depth = use.input.shape.channels / use.attributes.integer("groups")
      return [ValueType(.array([kernel.height, kernel.width, depth, use.inputs[1].shape.channels]))]
    },
    kernel: { .convolutionWeightGradient(try convolutionGeometry($0, input: $0.inputs[0], output: $0.inputs[1]), $0) },
    gradient: { site in
      let x = site.inputs[0], dy = site.inputs[1], incoming = site.outputGradient
      return [
        try site.apply(.conv2dInputGradient, [dy, incoming], site.settingInputSize, for: 0),
        try site.apply(.conv2d, [x, incoming], site.attributes, for: 1),
      ]
    })

  /// The geometry that a convolution and its two gradients share.
  static func convolutionGeometry(
    _ site: KernelSite, input: ValueType, output: ValueType
  ) throws -> ConvolutionGeometry {
    let window = Window(site.attributes)
    return try ConvolutionGeometry(
      batch: site.batch, inputHeight: input.shape.height, inputWidth: input.shape.width,
      inputChannels: input.shape.channels, outputChannels: output.shape.channels, kernel: window.kernel,
      stride: window.stride, padding: window.padding, dilation: window.dilation,
      groups: site.attributes.integer("groups"))
  }
}
