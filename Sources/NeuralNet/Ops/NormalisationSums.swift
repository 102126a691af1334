import TensorCore

/// The sums over the batch that the gradient of a batch normalisation needs, for readers that make the gradient of its
/// input themselves.
struct NormalisationSums {
  /// The `batch_norm_gradient` node that it takes the place of.
  let replaced: Graph.Node
  let view: GradientView
  /// The normalisation itself.
  let normalisation: Normalisation
  /// An element of an array that the gradient of the output is multiplied by.
  var factor: (weights: Int, element: Int)?

  /// The node of the plan: the coefficients, and the gradients of the normalisation's weight and bias.
  func node() -> Graph.Node {
    var inputs = NodeInputs()
    let z = inputs.place(view.image), dy = inputs.place(view.outputGradient)
    let placed = normalisation.mapped { inputs.place($0) }
    let factor = factor.map { (inputs.place($0.weights), $0.element) }, clamp = view.clamp
    let op = Op(
      "batch_norm_sums", "Sums over the batch for the gradient of a batch normalisation.", role: .derived,
      arity: .atLeast(4), paddingLanes: .none, infer: { [$0.input] },
      kernel: { Self.kernel($0, z: z, dy: dy, placed, clamp, factor) })
    return Graph.Node(
      op: op, attributes: replaced.attributes, inputs: inputs.values,
      outputs: [view.coefficients] + replaced.outputs.dropFirst(), path: replaced.path)
  }

  private static func kernel(
    _ site: KernelSite, z: Int, dy: Int, _ placed: Normalisation, _ clamp: Clamp?,
    _ factor: (weights: Int, element: Int)?
  ) -> Kernel {
    let rows = site.rows(site.inputs[z]), channels = site.inputs[z].shape.channels, compute = site.compute
    let isFromBatch = site.attributes.boolean("from_batch")
    return Kernel(scratchFloats: BatchNormalization.scratchFloats(channels: channels)) { call in
      BatchNormalization.gradientCoefficients(
        rows: rows, channels: channels, input: call.input(z), outputGradient: call.input(dy),
        mean: call.input(placed.mean), variance: call.input(placed.variance), epsilon: placed.epsilon,
        gamma: placed.weight.map { call.input($0) }, beta: placed.bias.map { call.input($0) },
        statisticsDependOnInput: isFromBatch, clamp: clamp.map { ($0.low, $0.high) },
        factor: factor.map { call.input($0.weights)[$0.element] } ?? 1,
        coefficients: BatchNormalization.GradientCoefficients(channels: channels, storage: call.output(0)),
        gammaGradient: call.output(1), betaGradient: call.output(2), scratch: call.scratch, compute: compute)
    }
  }
}

/// The mean and the variance of a value whose normalised form its readers make themselves.
struct BatchStatistics {
  /// The `batch_normalise` node that it takes the place of.
  let replaced: Graph.Node

  /// The node of the plan.
  func node() -> Graph.Node {
    let op = Op(
      "batch_statistics", "Mean and variance of the batch.", role: .derived, paddingLanes: .none,
      infer: { [$0.input] },
      kernel: { site in
        let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels, compute = site.compute
        return Kernel(scratchFloats: BatchNormalization.scratchFloats(channels: channels)) { call in
          BatchNormalization.statistics(
            rows: rows, channels: channels, input: call.input(0), mean: call.output(0), variance: call.output(1),
            scratch: call.scratch, compute: compute)
        }
      })
    return Graph.Node(
      op: op, attributes: replaced.attributes, inputs: [replaced.inputs[0]],
      outputs: Array(replaced.outputs.dropFirst()), path: replaced.path)
  }
}
