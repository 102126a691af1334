import TensorCore

/// A convolution or a linear layer with what comes before and after it, in one pass: what it reads may be a view, a
/// normalisation by given statistics may be part of its weights, and the result may be added to, clamped and summed up.
struct FusedConvolution {
  /// The layer, for its attributes and its path.
  let layer: Graph.Node
  var input: View
  var weight: Int
  var bias: Int?
  /// The normalisation that the weights take in.
  var folded: Normalisation?
  var addend: Int?
  var low = -Float.infinity, high = Float.infinity
  var output: Int
  /// The mean and the variance of the result.
  var statistics: (mean: Int, variance: Int)?
  /// Whether the weights stay the same from run to run, so that they are prepared once.
  var isPrepared: Bool

  /// Whether anything is gained over the layer itself.
  var isFused: Bool { isPrepared || input.isClamped || input.normalisation != nil || statistics != nil }

  /// The node of the plan.
  func node() -> Graph.Node {
    var inputs = NodeInputs(), placed = self
    placed.input = input.mapped { inputs.place($0) }
    placed.weight = inputs.place(weight)
    placed.bias = bias.map { inputs.place($0) }
    placed.folded = folded?.mapped { inputs.place($0) }
    placed.addend = addend.map { inputs.place($0) }
    let fused = placed
    let op = Op(
      "fused_\(layer.op.name)", "\(layer.op.name) with what comes before and after it.", role: .derived,
      arity: .atLeast(2), paddingLanes: .cleared, inPlace: inputs.inPlace(fused.addend),
      infer: { [$0.input] }, kernel: { try fused.kernel($0) })
    return Graph.Node(
      op: op, attributes: layer.attributes, inputs: inputs.values,
      outputs: [output] + (statistics.map { [$0.mean, $0.variance] } ?? []), path: layer.path)
  }

  private func kernel(_ site: KernelSite) throws -> Kernel {
    let isLinear = layer.op.name == Op.linear.name, x = site.inputs[input.image], y = site.outputs[0]
    let geometry =
      try isLinear
      ? Op.productGeometry(site, input: x, output: y) : Op.convolutionGeometry(site, input: x, output: y)
    let compute = site.compute, vectors = 2 * paddedChannels(geometry.inputChannels)
    let preparedFloats = roundedToVectors(Convolution.preparedFloats(geometry, compute: compute))
    let foldedFloats = paddedChannels(geometry.outputChannels) + geometry.weightCount
    let scratch = max(Convolution.scratchFloats(geometry, compute: compute), foldedFloats)
    let preparation = Kernel.Preparation(floats: preparedFloats + paddedChannels(geometry.outputChannels)) { call in
      prepare(geometry, call, bias: call.prepared + preparedFloats, compute)
    }
    return Kernel(scratchFloats: vectors + scratch, preparation: isPrepared ? preparation : nil) { call in
      var epilogue = Convolution.Epilogue(bias: bias.map { call.input($0) })
      if folded != nil { epilogue.bias = UnsafePointer(call.prepared + preparedFloats) }
      epilogue.addend = addend.map { call.input($0) }
      (epilogue.low, epilogue.high) = (low, high)
      if statistics != nil { (epilogue.mean, epilogue.variance) = (call.output(1), call.output(2)) }
      Convolution.forward(
        geometry, input: call.source(input, channels: geometry.inputChannels, vectors: call.scratch),
        weight: isPrepared ? .prepared(call.prepared) : .dense(call.input(weight)), epilogue: epilogue,
        output: call.output(0), scratch: call.scratch + vectors, compute: compute)
    }
  }

  /// Puts the weights, with the normalisation in them, into the order of the kernels, and the bias beside them:
  /// `scale · (w ∗ x + b) + shift = (scale · w) ∗ x + (scale · b + shift)`.
  private func prepare(
    _ geometry: ConvolutionGeometry, _ call: KernelArguments, bias folding: UnsafeMutablePointer<Float>,
    _ compute: Compute
  ) {
    var dense = call.input(weight)
    if let folded {
      let channels = geometry.outputChannels, scale = call.scratch
      let weights = call.scratch + paddedChannels(channels)
      BatchNormalization.affine(
        channels: channels, mean: call.input(folded.mean), variance: call.input(folded.variance),
        epsilon: folded.epsilon, gamma: folded.weight.map { call.input($0) },
        beta: folded.bias.map { call.input($0) }, scale: scale, shift: folding)
      if let bias { for channel in 0..<channels { folding[channel] += scale[channel] * call.input(bias)[channel] } }
      for row in 0..<(geometry.weightCount / channels) {
        for channel in 0..<channels {
          weights[row &* channels &+ channel] = dense[row &* channels &+ channel] * scale[channel]
        }
      }
      dense = UnsafePointer(weights)
    }
    Convolution.prepare(geometry, weight: dense, prepared: call.prepared, compute: compute)
  }
}

/// The gradients of a convolution's input and of its weight, or one of them, in one pass over what both read. The
/// gradient of the input may be masked by the ReLU before the convolution and added to that of another reader.
struct FusedConvolutionGradient {
  /// What it takes the gradient of the output from.
  enum OutputGradient {
    case value(Int)
    case view(GradientView)
  }

  /// One of the nodes that it replaces, for its attributes and its path.
  let layer: Graph.Node
  /// What the convolution reads, for the gradient of the weight.
  var input: View?
  var outputGradient: OutputGradient
  var weight: Int?
  var inputGradient: Int?
  var weightGradient: Int?
  /// The input of the ReLU before the convolution, and the upper bound of that.
  var mask: (value: Int, high: Float)?
  var addend: Int?
  /// The sums over the batch for the normalisation whose output's gradient is the input's.
  var reduction: NormalisationSums?

  /// The node of the plan.
  func node() -> Graph.Node {
    var inputs = NodeInputs(), placed = self
    placed.input = input?.mapped { inputs.place($0) }
    switch outputGradient {
    case .value(let value): placed.outputGradient = .value(inputs.place(value))
    case .view(let view): placed.outputGradient = .view(view.mapped { inputs.place($0) })
    }
    placed.weight = inputGradient == nil ? nil : weight.map { inputs.place($0) }
    placed.mask = mask.map { (inputs.place($0.value), $0.high) }
    placed.addend = addend.map { inputs.place($0) }
    placed.reduction = reduction?.mapped { inputs.place($0) }
    let fused = placed
    let op = Op(
      "fused_conv2d_gradient", "Gradients of a convolution.", role: .derived, arity: .atLeast(2),
      paddingLanes: .cleared, inPlace: inputs.inPlace(fused.addend), infer: { [$0.input] },
      kernel: { try fused.kernel($0) })
    return Graph.Node(
      op: op, attributes: layer.attributes, inputs: inputs.values,
      outputs: [inputGradient, weightGradient].compactMap { $0 } + (reduction?.outputs ?? []), path: layer.path)
  }

  private func kernel(_ site: KernelSite) throws -> Kernel {
    let gradient: Int
    switch outputGradient {
    case .value(let place): gradient = place
    case .view(let view): gradient = view.outputGradient
    }
    let image = input.map { site.inputs[$0.image] } ?? site.outputs[0]
    let geometry = try Op.convolutionGeometry(site, input: image, output: site.inputs[gradient])
    let compute = site.compute, vectors = 2 * paddedChannels(geometry.inputChannels)
    let sums = reduction == nil ? 0 : BatchNormalization.scratchFloats(channels: geometry.inputChannels)
    return Kernel(scratchFloats: vectors + sums + Convolution.scratchFloats(geometry, compute: compute)) { call in
      run(geometry, call, sums: call.scratch + vectors, scratch: call.scratch + vectors + sums, compute)
    }
  }

  private func run(
    _ geometry: ConvolutionGeometry, _ call: KernelArguments, sums: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, _ compute: Compute
  ) {
    let dy = source(call, channels: geometry.outputChannels)
    let x = input.map { call.source($0, channels: geometry.inputChannels, vectors: call.scratch) }
    var epilogue = Convolution.Epilogue()
    if let mask { (epilogue.mask, epilogue.maskHigh) = (call.input(mask.value), mask.high) }
    epilogue.addend = addend.map { call.input($0) }
    epilogue.reduction = reduction?.reduction(
      call, rows: geometry.input.rows, channels: geometry.inputChannels, output: input == nil ? 1 : 2, scratch: sums)
    switch (x, weight) {
    case (let x?, let weight?):
      Convolution.gradients(
        geometry, input: x, outputGradient: dy, weight: call.input(weight), epilogue: epilogue,
        inputGradient: call.output(0), weightGradient: call.output(1), scratch: scratch, compute: compute)
    case (let x?, nil):
      Convolution.weightGradient(
        geometry, input: x, outputGradient: dy, weightGradient: call.output(0), scratch: scratch, compute: compute)
    case (nil, let weight?):
      Convolution.inputGradient(
        geometry, outputGradient: dy, weight: call.input(weight), epilogue: epilogue, inputGradient: call.output(0),
        scratch: scratch, compute: compute)
    case (nil, nil): break
    }
  }

  private func source(_ call: KernelArguments, channels: Int) -> Convolution.Source {
    switch outputGradient {
    case .value(let place): return Convolution.Source(call.input(place))
    case .view(let view):
      let k = BatchNormalization.GradientCoefficients(channels: channels, storage: call.state(view.coefficients))
      let dy = call.input(view.outputGradient), z = call.input(view.image)
      guard let clamp = view.clamp else { return .normalisationGradient(dy, z, k1: k[0], k2: k[1], k3: k[2]) }
      return .normalisationGradient(
        dy, z, k1: k[0], k2: k[1], k3: k[2], scale: k[3], shift: k[4], low: clamp.low, high: clamp.high)
    }
  }
}

extension KernelArguments {
  /// A view among the inputs as a convolution reads it; `vectors` is storage for two channel-padded vectors.
  fileprivate func source(
    _ view: View, channels: Int, vectors: UnsafeMutablePointer<Float>
  ) -> Convolution.Source {
    guard let normalisation = view.normalisation else {
      return Convolution.Source(input(view.image), low: view.low, high: view.high)
    }
    let scale = vectors, shift = vectors + paddedChannels(channels)
    BatchNormalization.affine(
      channels: channels, mean: input(normalisation.mean), variance: input(normalisation.variance),
      epsilon: normalisation.epsilon, gamma: normalisation.weight.map { input($0) },
      beta: normalisation.bias.map { input($0) }, scale: scale, shift: shift)
    return .affine(input(view.image), scale: scale, shift: shift, low: view.low, high: view.high)
  }
}
