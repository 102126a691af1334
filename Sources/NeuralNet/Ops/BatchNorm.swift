import Canonical
import TensorCore

extension GradientSite {
  /// The gradient of a batch normalisation's input with what comes through its other outputs, mean and variance.
  fileprivate func addingGradientOfStatistics(to gradient: Symbol) throws -> Symbol {
    let x = inputs[0]
    var terms = [gradient]
    if let dMean = outputGradients[1] { terms.append(try spread(dMean, like: x, averaged: true)) }
    if let dVariance = outputGradients[2] {
      let centred = try subtract(x, try spread(outputs[1], like: x))
      terms.append(try scale(try multiply(centred, try spread(dVariance, like: x, averaged: true)), 2))
    }
    return terms.count == 1 ? gradient : try apply(.add, terms)[0]
  }

  /// `batch_norm_gradient` once more, from ops that are differentiable any number of times.
  fileprivate func batchNormGradientInPrimitives() throws -> [Symbol] {
    let x = inputs[0], dy = inputs[1]
    let variance = try scale(inputs[3], 1, shift: attributes.number("epsilon"))
    let deviation = try spread(try apply(.pow, [variance], Attributes(["exponent": -0.5]))[0], like: x)
    let normal = try multiply(try subtract(x, try spread(inputs[2], like: x)), deviation)
    let product = try multiply(dy, normal)
    let dWeight = try apply(.channelSum, [product])[0], dBias = try apply(.channelSum, [dy])[0]
    var inner = inputs.count > 4 ? try multiply(dy, try spread(inputs[4], like: x)) : dy
    if attributes.boolean("from_batch") {
      let mean = try spread(try averagedChannelSum(inner), like: x)
      let correlation = try spread(try averagedChannelSum(try multiply(inner, normal)), like: x)
      inner = try subtract(try subtract(inner, mean), try multiply(normal, correlation))
    }
    return [try multiply(inner, deviation), dWeight, dBias]
  }
}

extension Op {
  /// Batch normalisation (Ioffe & Szegedy 2015): `y = (x − mean) / √(variance + epsilon) · weight + bias` per channel.
  ///
  /// Where mean and variance come from is the execution mode's choice, so the layer has no kernel: it expands to
  /// `batch_normalise`, to `normalise` or to nothing. Defaults are PyTorch's; the running variance is unbiased.
  static let batchNorm: Op = Op(
    "batch_norm", "Batch normalisation per channel.",
    attributes: [
      AttributeSchema("momentum", .number(0...1), standard: 0.1, "weight of a batch in the running statistics"),
      AttributeSchema("epsilon", .number(1e-12...1), standard: 1e-5, "added to the variance"),
      AttributeSchema("affine", .boolean, standard: true, "train a scale and a shift per channel"),
    ],
    paddingLanes: .cleared,
    infer: { use in
      guard use.input.shape.hasBatch, !use.input.shape.dimensions.isEmpty else { return [ValueType(try use.image())] }
      return [use.input]
    },
    parameters: { use in
      let dimensions = [use.input.shape.channels]
      func declare(_ name: String, _ kind: ParameterKind, _ value: Float) -> ParameterDeclaration {
        ParameterDeclaration(name: name, dimensions: dimensions, kind: kind, initialiser: .constant(value))
      }
      let affine = [declare("weight", .norm, 1), declare("bias", .norm, 0)]
      return (use.attributes.boolean("affine") ? affine : [])
        + [declare("running_mean", .statistic, 0), declare("running_var", .statistic, 1)]
    },
    expansion: { site in
      let x = site.inputs[0], affine = Array(site.inputs[1..<(site.inputs.count - 2)])
      let running = Array(site.inputs.suffix(2))
      switch site.mode.batchNorm {
      case .bypass: return [x]
      case .running: return try site.apply(.normalise, [x] + running + affine, site.attributes)
      case .batch(updating: false): return [try site.apply(.batchNormalise, [x] + affine, site.attributes)[0]]
      case .batch(updating: true), .recalibrate:
        let outputs = try site.apply(.batchNormalise, [x] + affine, site.attributes)
        let update = site.attributes.setting("positions", .int(x.shape.rows(batch: 1)))
          .setting("cumulative", .bool(site.mode.batchNorm == .recalibrate))
        _ = try site.apply(.updateRunningStatistics, Array(outputs[1...2]) + running, update)
        return [outputs[0]]
      }
    },
    onnx: .batchNormalization)

  /// Normalises with the batch's own statistics: `x [, weight, bias] -> y, mean, variance` (biased, as normalised with).
  static let batchNormalise: Op = Op(
    "batch_normalise", "Normalisation by the statistics of the batch.", role: .derived, arity: .atLeast(1),
    paddingLanes: .cleared, inPlace: .inputs([0]),
    infer: { use in
      let statistic = ValueType(.array([use.input.shape.channels]))
      return [use.input, statistic, statistic]
    },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels, compute = site.compute
      let epsilon = Float(site.attributes.number("epsilon")), isAffine = site.inputs.count > 1
      return Kernel(scratchFloats: scratchFloats(channels)) { call in
        let deviation = call.scratch, scratch = call.scratch.advanced(by: paddedChannels(channels))
        BatchNormalization.statistics(
          rows: rows, channels: channels, input: call.input(0), mean: call.output(1), variance: call.output(2),
          scratch: scratch, compute: compute)
        BatchNormalization.inverseDeviation(
          channels: channels, variance: UnsafePointer(call.output(2)), epsilon: epsilon, result: deviation)
        BatchNormalization.normalise(
          rows: rows, channels: channels, input: call.input(0), mean: call.output(1), inverseDeviation: deviation,
          gamma: isAffine ? call.input(1) : nil, beta: isAffine ? call.input(2) : nil, output: call.output(0),
          scratch: scratch, compute: compute)
      }
    },
    gradient: { site in
      let gradients = try site.apply(
        .batchNormGradient,
        [site.inputs[0], site.outputGradient, site.outputs[1], site.outputs[2]]
          + site.inputs.dropFirst().prefix(1), site.attributes.setting("from_batch", true))
      let dx = try site.addingGradientOfStatistics(to: gradients[0])
      return [dx] + gradients[1..<site.inputs.count].map { $0 }
    })

  /// Normalises with given statistics: `x, mean, variance [, weight, bias] -> y`.
  static let normalise: Op = Op(
    "normalise", "Normalisation by given statistics.", role: .derived, arity: .atLeast(3), paddingLanes: .cleared,
    inPlace: .inputs([0]), infer: { [$0.input] },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels, compute = site.compute
      let epsilon = Float(site.attributes.number("epsilon")), isAffine = site.inputs.count > 3
      return Kernel(scratchFloats: scratchFloats(channels)) { call in
        let deviation = call.scratch, scratch = call.scratch.advanced(by: paddedChannels(channels))
        BatchNormalization.inverseDeviation(
          channels: channels, variance: call.input(2), epsilon: epsilon, result: deviation)
        BatchNormalization.normalise(
          rows: rows, channels: channels, input: call.input(0), mean: call.input(1), inverseDeviation: deviation,
          gamma: isAffine ? call.input(3) : nil, beta: isAffine ? call.input(4) : nil, output: call.output(0),
          scratch: scratch, compute: compute)
      }
    },
    gradient: { site in
      let gradients = try site.apply(
        .batchNormGradient,
        [site.inputs[0], site.outputGradient, site.inputs[1], site.inputs[2]]
          + site.inputs.dropFirst(3).prefix(1), site.attributes.setting("from_batch", false))
      return [gradients[0], nil, nil] + (site.inputs.count > 3 ? [gradients[1], gradients[2]] : [])
    })

  /// The gradient of a normalisation: `x, dy, mean, variance [, weight] -> dx, dweight, dbias`. With `from_batch` it
  /// goes through the statistics too.
  static let batchNormGradient: Op = Op(
    "batch_norm_gradient", "Gradients of a batch normalisation.", role: .derived, arity: .atLeast(4),
    paddingLanes: .cleared, inPlace: .inputs([1]),
    infer: { use in
      let perChannel = ValueType(.array([use.input.shape.channels]))
      return [use.input, perChannel, perChannel]
    },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels, compute = site.compute
      let epsilon = Float(site.attributes.number("epsilon")), isAffine = site.inputs.count > 4
      let isFromBatch = site.attributes.boolean("from_batch")
      let backward = isFromBatch ? BatchNormalization.backward : BatchNormalization.runningBackward
      return Kernel(scratchFloats: scratchFloats(channels)) { call in
        let deviation = call.scratch, scratch = call.scratch.advanced(by: paddedChannels(channels))
        BatchNormalization.inverseDeviation(
          channels: channels, variance: call.input(3), epsilon: epsilon, result: deviation)
        backward(
          rows, channels, call.input(0), call.input(1), call.input(2), deviation, isAffine ? call.input(4) : nil,
          call.output(0), call.output(1), call.output(2), scratch, compute)
      }
    },
    gradient: { site in
      let equal = try site.batchNormGradientInPrimitives()
      return try site.draft.partialGradients(of: equal, from: site.outputGradients, wrt: site.inputs)
    })

  /// The inverse deviations, then what the kernels ask for.
  private static func scratchFloats(_ channels: Int) -> Int {
    paddedChannels(channels) + BatchNormalization.scratchFloats(channels: channels)
  }

  /// Moves running statistics towards a batch's: `mean, variance, running_mean, running_var`, the last two changed.
  ///
  /// `running += momentum · (batch − running)`, the variance first made unbiased by `n / (n − 1)`. `cumulative` takes
  /// `1 / (step + 1)` for the momentum, so that after k batches from step 0 the result is their plain mean.
  static let updateRunningStatistics: Op = Op(
    "update_running_statistics", "Update of running statistics.", role: .derived, arity: .exactly(4),
    paddingLanes: .none, updates: [2, 3], infer: { _ in [] },
    kernel: { site in
      let channels = site.inputs[0].shape.channels, momentum = Float(site.attributes.number("momentum"))
      let isCumulative = site.attributes.boolean("cumulative")
      let count = site.batch * site.attributes.integer("positions")
      let unbiased = count > 1 ? Float(count) / Float(count - 1) : 1
      return Kernel { call in
        let rate = isCumulative ? 1 / Float(call.step + 1) : momentum
        let mean = call.input(0), variance = call.input(1), runningMean = call.state(2), runningVariance = call.state(3)
        for channel in 0..<channels {
          runningMean[channel] += rate * (mean[channel] - runningMean[channel])
          runningVariance[channel] += rate * (variance[channel] * unbiased - runningVariance[channel])
        }
      }
    })
}

extension ONNXMapping {
  /// With the running statistics. The channels come second.
  fileprivate static let batchNormalization = ONNXMapping("BatchNormalization") { site in
    let rank = site.shape(0).rank, axes = [0] + (rank > 1 ? [rank - 1] : []) + Array(1..<max(1, rank - 1))
    let ones = [Float](repeating: 1, count: site.shape(0).channels), isAffine = site.attributes.boolean("affine")
    let affine =
      isAffine
      ? [site.plain(1), site.plain(2)]
      : [site.floats(ones, "weight"), site.floats(ones.map { _ in 0 }, "bias")]
    let statistics = [site.plain(site.count - 2), site.plain(site.count - 1)]
    let epsilon: [String: JSONValue] = ["epsilon": .number(site.attributes.number("epsilon"))]
    return ONNXValue(
      site.add("BatchNormalization", [site.permuted(0, axes)] + affine + statistics, epsilon), axes)
  }
}
