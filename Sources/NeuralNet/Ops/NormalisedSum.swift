import TensorCore

/// A sum of values, normalised where wanted, and a clamp of it: what the edges of a node and its activation take
/// otherwise several passes for. One term alone is a normalisation with its activation.
struct NormalisedSum {
  /// The node that it takes the place of, for its path.
  let replaced: Graph.Node
  var terms: [(image: Int, normalisation: Normalisation?)]
  var low = -Float.infinity, high = Float.infinity
  let output: Int

  /// The node of the plan.
  func node() -> Graph.Node {
    var inputs = NodeInputs(), placed = self
    for index in terms.indices {
      placed.terms[index].image = inputs.place(terms[index].image)
      placed.terms[index].normalisation = terms[index].normalisation?.mapped { inputs.place($0) }
    }
    let fused = placed
    let op = Op(
      "normalised_sum", "Sum of values, normalised where wanted, clamped.", role: .derived, arity: .atLeast(1),
      paddingLanes: .carried, inPlace: .inputs(fused.terms.map(\.image)), infer: { [$0.input] },
      kernel: { fused.kernel($0) })
    return Graph.Node(
      op: op, attributes: Attributes(), inputs: inputs.values, outputs: [output], path: replaced.path)
  }

  private func kernel(_ site: KernelSite) -> Kernel {
    let rows = site.rows(site.outputs[0]), channels = site.outputs[0].shape.channels, compute = site.compute
    let width = paddedChannels(channels), storage = BatchNormalization.Term.storageFloats(channels: channels)
    return Kernel(scratchFloats: terms.count * storage + width) { call in
      withUnsafeTemporaryAllocation(of: BatchNormalization.Term.self, capacity: terms.count) { jobs in
        for (index, term) in terms.enumerated() {
          jobs.initializeElement(
            at: index, to: call.term(term, channels, call.scratch + width + index * storage, deviation: call.scratch))
        }
        BatchNormalization.sum(
          rows: rows, channels: channels, terms: UnsafeBufferPointer(jobs), low: low, high: high,
          output: call.output(0), compute: compute)
      }
    }
  }
}

extension KernelArguments {
  fileprivate func term(
    _ term: (image: Int, normalisation: Normalisation?), _ channels: Int, _ storage: UnsafeMutablePointer<Float>,
    deviation: UnsafeMutablePointer<Float>
  ) -> BatchNormalization.Term {
    guard let normalisation = term.normalisation else { return BatchNormalization.Term(input(term.image)) }
    BatchNormalization.inverseDeviation(
      channels: channels, variance: input(normalisation.variance), epsilon: normalisation.epsilon, result: deviation)
    return BatchNormalization.Term(
      input(term.image), channels: channels, mean: input(normalisation.mean), inverseDeviation: deviation,
      gamma: normalisation.weight.map { input($0) }, beta: normalisation.bias.map { input($0) }, storage: storage)
  }
}

/// The sums over the batch that the gradient of a batch normalisation needs, for readers that make the gradient of its
/// input themselves.
struct NormalisationSums {
  /// The `batch_norm_gradient` node that it takes the place of.
  let replaced: Graph.Node
  let view: GradientView
  /// The normalisation itself.
  let normalisation: Normalisation

  /// The node of the plan: the coefficients, and the gradients of the normalisation's weight and bias.
  func node() -> Graph.Node {
    var inputs = NodeInputs()
    let z = inputs.place(view.image), dy = inputs.place(view.outputGradient)
    let placed = normalisation.mapped { inputs.place($0) }, clamp = view.clamp
    let op = Op(
      "batch_norm_sums", "Sums over the batch for the gradient of a batch normalisation.", role: .derived,
      arity: .atLeast(4), paddingLanes: .none, infer: { [$0.input] },
      kernel: { Self.kernel($0, z: z, dy: dy, placed, clamp) })
    return Graph.Node(
      op: op, attributes: replaced.attributes, inputs: inputs.values,
      outputs: [view.coefficients] + replaced.outputs.dropFirst(), path: replaced.path)
  }

  private static func kernel(_ site: KernelSite, z: Int, dy: Int, _ placed: Normalisation, _ clamp: Clamp?) -> Kernel {
    let rows = site.rows(site.inputs[z]), channels = site.inputs[z].shape.channels, compute = site.compute
    let isFromBatch = site.attributes.boolean("from_batch")
    return Kernel(scratchFloats: BatchNormalization.scratchFloats(channels: channels)) { call in
      BatchNormalization.gradientCoefficients(
        rows: rows, channels: channels, input: call.input(z), outputGradient: call.input(dy),
        mean: call.input(placed.mean), variance: call.input(placed.variance), epsilon: placed.epsilon,
        gamma: placed.weight.map { call.input($0) }, beta: placed.bias.map { call.input($0) },
        statisticsDependOnInput: isFromBatch, clamp: clamp.map { ($0.low, $0.high) },
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
