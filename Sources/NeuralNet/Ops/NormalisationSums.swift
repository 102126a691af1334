import TensorCore

/// The sums over the batch that the gradient of a batch normalisation needs, for readers that make the gradient of its
/// input themselves.
struct NormalisationSums {
  /// The `batch_norm_gradient` node that it takes the place of.
  let replaced: Graph.Node
  var view: GradientView
  /// The normalisation itself.
  var normalisation: Normalisation
  /// An element of an array that the gradient of the output is multiplied by.
  var factor: (weights: Int, element: Int)?
  /// Whether mean and variance are those of the batch.
  private let isFromBatch: Bool

  init(
    replaced: Graph.Node, view: GradientView, normalisation: Normalisation, factor: (weights: Int, element: Int)?
  ) {
    (self.replaced, self.view, self.normalisation, self.factor) = (replaced, view, normalisation, factor)
    isFromBatch = replaced.attributes.boolean("from_batch")
  }

  /// The coefficients, and the gradients of the normalisation's weight and bias.
  var outputs: [Int] { [view.coefficients] + replaced.outputs.dropFirst() }

  /// The node of the plan.
  func node() -> Graph.Node {
    var inputs = NodeInputs()
    let dy = inputs.place(view.outputGradient), placed = mapped { inputs.place($0) }
    let op = Op(
      "batch_norm_sums", "Sums over the batch for the gradient of a batch normalisation.", role: .derived,
      arity: .atLeast(4), paddingLanes: .none, infer: { [$0.input] },
      kernel: { site in
        let rows = site.rows(site.inputs[dy]), channels = site.inputs[dy].shape.channels, compute = site.compute
        return Kernel(scratchFloats: BatchNormalization.scratchFloats(channels: channels)) { call in
          placed.reduction(call, rows: rows, channels: channels, output: 0, scratch: call.scratch)
            .run(outputGradient: call.input(dy), compute: compute)
        }
      })
    return Graph.Node(
      op: op, attributes: replaced.attributes, inputs: inputs.values, outputs: outputs, path: replaced.path)
  }

  /// The same with each value replaced that is read besides the output gradient.
  func mapped(_ replace: (Int) -> Int) -> NormalisationSums {
    var copy = self
    copy.view.image = replace(view.image)
    copy.normalisation = normalisation.mapped(replace)
    copy.factor = factor.map { (replace($0.weights), $0.element) }
    return copy
  }

  /// The reduction of a call, with places for values; `output` is the place of the first of the outputs.
  func reduction(
    _ call: KernelArguments, rows: Int, channels: Int, output: Int, scratch: UnsafeMutablePointer<Float>
  ) -> BatchNormalization.BackwardReduction {
    BatchNormalization.BackwardReduction(
      rows: rows, channels: channels, input: call.input(view.image), mean: call.input(normalisation.mean),
      variance: call.input(normalisation.variance), epsilon: normalisation.epsilon,
      gamma: normalisation.weight.map { call.input($0) }, beta: normalisation.bias.map { call.input($0) },
      statisticsDependOnInput: isFromBatch, clamp: view.clamp.map { ($0.low, $0.high) },
      factor: factor.map { call.input($0.weights)[$0.element] } ?? 1,
      coefficients: BatchNormalization.GradientCoefficients(channels: channels, storage: call.output(output)),
      gammaGradient: call.output(output + 1), betaGradient: call.output(output + 2), scratch: scratch)
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
