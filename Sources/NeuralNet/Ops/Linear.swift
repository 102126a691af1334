import Canonical
import TensorCore

extension Op {
  /// Linear layer over the last axis, `[N, …, C] -> [N, …, features]`: `y = x · weight + bias`.
  ///
  /// It runs on the convolution's kernels, as a 1×1 convolution over an image of one row: the same bits whatever the
  /// BLAS on the machine.
  static let linear: Op = Op(
    "linear", "Matrix product with a trained weight.",
    attributes: [
      AttributeSchema("features", .integer(1...largestExtent), "outputs"),
      AttributeSchema("bias", .boolean, standard: true, "add a trained constant per output"),
    ],
    paddingLanes: .cleared,
    infer: { use in
      let input = use.input.shape
      guard input.hasBatch, !input.dimensions.isEmpty, !input.isImage else {
        throw use.fault(
          "wrong input shape", expected: "[N, C]", got: input.description,
          hint: "Put global_avg_pool or flatten before it.")
      }
      return [ValueType(.activation(input.dimensions.dropLast() + [use.attributes.integer("features")]))]
    },
    parameters: { use in
      let fanIn = use.input.shape.channels, features = use.attributes.integer("features")
      let initialiser = Initialiser.standard(fanIn: fanIn)
      let weight = ParameterDeclaration(
        name: "weight", dimensions: [fanIn, features], kind: .weight, initialiser: initialiser)
      let bias = ParameterDeclaration(name: "bias", dimensions: [features], kind: .bias, initialiser: initialiser)
      return use.attributes.boolean("bias") ? [weight, bias] : [weight]
    },
    macs: { inputs, outputs, attributes in
      let features = outputs[0].shape.elementsPerSample
      return inputs[0].shape.channels * features + (attributes.boolean("bias") ? features : 0)
    },
    kernel: { site in
      switch site.precision {
      case .single: .convolution(try productGeometry(site, input: site.inputs[0], output: site.outputs[0]), site)
      case .bfloat16: .bfloat16Linear(site)
      }
    },
    gradient: { site in
      let x = site.inputs[0], weight = site.inputs[1], dy = site.outputGradient
      let dx = try site.apply(.linearInputGradient, [dy, weight], for: 0)
      let dw = try site.apply(.linearWeightGradient, [x, dy], for: 1)
      return [dx, dw] + (site.inputs.count > 2 ? [try site.apply(.channelSum, [dy], for: 2)] : [])
    },
    onnx: ONNXMapping("Gemm") { site in
      let bias = site.count > 2 ? [site.plain(2)] : []
      if site.shape(0).isVector { return site.plain(site.add("Gemm", [site.plain(0), site.plain(1)] + bias)) }
      let product = site.add("MatMul", [site.plain(0), site.plain(1)])
      return site.plain(bias.isEmpty ? product : site.add("Add", [product] + bias))
    })

  /// The gradient of a linear layer's input: `dy · weightᵀ`.
  static let linearInputGradient: Op = Op(
    "linear_input_gradient", "Gradient of a linear layer's input.", role: .derived, arity: .exactly(2),
    paddingLanes: .cleared,
    infer: { [ValueType(.activation($0.input.shape.dimensions.dropLast() + [$0.inputs[1].shape.dimensions[0]]))] },
    kernel: { site in
      switch site.precision {
      case .single:
        .convolutionInputGradient(try productGeometry(site, input: site.outputs[0], output: site.inputs[0]), site)
      case .bfloat16: .bfloat16LinearInputGradient(site)
      }
    },
    gradient: { site in
      let dy = site.inputs[0], weight = site.inputs[1], incoming = site.outputGradient
      return [
        try site.apply(.linear, [incoming, weight], features(weight), for: 0),
        try site.apply(.linearWeightGradient, [incoming, dy], for: 1),
      ]
    })

  /// The gradient of a linear layer's weight: `xᵀ · dy`.
  static let linearWeightGradient: Op = Op(
    "linear_weight_gradient", "Gradient of a linear layer's weight.", role: .derived, arity: .exactly(2),
    paddingLanes: .none,
    infer: { [ValueType(.array([$0.inputs[0].shape.channels, $0.inputs[1].shape.channels]))] },
    kernel: { site in
      switch site.precision {
      case .single:
        .convolutionWeightGradient(try productGeometry(site, input: site.inputs[0], output: site.inputs[1]), site)
      case .bfloat16: .bfloat16LinearWeightGradient(site)
      }
    },
    gradient: { site in
      let x = site.inputs[0], dy = site.inputs[1], incoming = site.outputGradient
      return [
        try site.apply(.linearInputGradient, [dy, incoming], for: 0),
        try site.apply(.linear, [x, incoming], features(incoming), for: 1),
      ]
    })

  /// The attributes of a linear layer with a weight, without bias.
  private static func features(_ weight: Symbol) -> Attributes {
    Attributes(["features": .int(weight.shape.channels), "bias": false])
  }

  /// The convolution that a linear layer and its gradients are.
  static func productGeometry(
    _ site: KernelSite, input: ValueType, output: ValueType
  ) throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      batch: 1, inputHeight: 1, inputWidth: site.rows(input), inputChannels: input.shape.channels,
      outputChannels: output.shape.channels, kernel: Extent(1))
  }
}
