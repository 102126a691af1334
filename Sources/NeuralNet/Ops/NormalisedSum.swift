import TensorCore

/// Values of one shape, normalised where wanted, as they lie among a node's inputs.
struct NormalisedTerms {
  var terms: [(image: Int, normalisation: Normalisation?)]
  /// An array with a factor for each term, and which element; nil for 1.
  var factors: (weights: Int, elements: [Int])?

  /// The same with each value replaced.
  func mapped(_ replace: (Int) -> Int) -> NormalisedTerms {
    NormalisedTerms(
      terms: terms.map { (replace($0.image), $0.normalisation?.mapped(replace)) },
      factors: factors.map { (replace($0.weights), $0.elements) })
  }

  func scratchFloats(channels: Int) -> Int {
    paddedChannels(channels) + terms.count * BatchNormalization.Term.storageFloats(channels: channels)
  }

  /// Calls the body with the terms of a run.
  func with(_ call: KernelArguments, channels: Int, _ body: (UnsafeBufferPointer<BatchNormalization.Term>) -> Void) {
    let storage = BatchNormalization.Term.storageFloats(channels: channels)
    withUnsafeTemporaryAllocation(of: BatchNormalization.Term.self, capacity: terms.count) { jobs in
      for index in terms.indices {
        let vectors = call.scratch + paddedChannels(channels) + index * storage
        jobs.initializeElement(at: index, to: term(index, call, channels, vectors: vectors))
      }
      body(UnsafeBufferPointer(jobs))
    }
  }

  private func term(
    _ index: Int, _ call: KernelArguments, _ channels: Int, vectors: UnsafeMutablePointer<Float>
  ) -> BatchNormalization.Term {
    let image = call.input(terms[index].image)
    let factor = factors.map { call.input($0.weights)[$0.elements[index]] } ?? 1
    guard let normalisation = terms[index].normalisation else {
      return BatchNormalization.Term(image, factor: factor)
    }
    BatchNormalization.inverseDeviation(
      channels: channels, variance: call.input(normalisation.variance), epsilon: normalisation.epsilon,
      result: call.scratch)
    return BatchNormalization.Term(
      image, channels: channels, mean: call.input(normalisation.mean), inverseDeviation: call.scratch,
      gamma: normalisation.weight.map { call.input($0) }, beta: normalisation.bias.map { call.input($0) },
      factor: factor, storage: vectors)
  }
}

/// A sum of values, normalised and weighted where wanted, and a clamp of it: what the edges of a node and its activation
/// take otherwise several passes for. One term alone is a normalisation with its activation.
struct NormalisedSum {
  /// The node that it takes the place of, for its path.
  let replaced: Graph.Node
  var terms: NormalisedTerms
  var low = -Float.infinity, high = Float.infinity
  let output: Int

  /// The node of the plan.
  func node() -> Graph.Node {
    var inputs = NodeInputs()
    let placed = terms.mapped { inputs.place($0) }, low = low, high = high
    let op = Op(
      "normalised_sum", "Sum of values, normalised and weighted where wanted, clamped.", role: .derived,
      arity: .atLeast(1), paddingLanes: .carried, inPlace: .inputs(placed.terms.map(\.image)), infer: { [$0.input] },
      kernel: { site in
        let rows = site.rows(site.outputs[0]), channels = site.outputs[0].shape.channels, compute = site.compute
        return Kernel(scratchFloats: placed.scratchFloats(channels: channels)) { call in
          placed.with(call, channels: channels) { terms in
            BatchNormalization.sum(
              rows: rows, channels: channels, terms: terms, low: low, high: high, output: call.output(0),
              compute: compute)
          }
        }
      })
    return Graph.Node(
      op: op, attributes: Attributes(), inputs: inputs.values, outputs: [output], path: replaced.path)
  }
}

/// The gradient of a mixture's weights, from values that it normalises itself.
struct NormalisedDots {
  /// The `weighted_sum_weight_gradient` node that it takes the place of.
  let replaced: Graph.Node
  let terms: NormalisedTerms

  /// The node of the plan.
  func node() -> Graph.Node {
    var inputs = NodeInputs()
    let dy = inputs.place(replaced.inputs[0]), placed = terms.mapped { inputs.place($0) }
    let op = Op(
      "normalised_dots", replaced.op.documentation, role: .derived, arity: .atLeast(2), paddingLanes: .none,
      infer: { [$0.input] },
      kernel: { site in
        let rows = site.rows(site.inputs[dy]), channels = site.inputs[dy].shape.channels, compute = site.compute
        return Kernel(scratchFloats: placed.scratchFloats(channels: channels)) { call in
          placed.with(call, channels: channels) { terms in
            BatchNormalization.dots(
              rows: rows, channels: channels, gradient: call.input(dy), terms: terms, result: call.output(0),
              compute: compute)
          }
        }
      })
    return Graph.Node(
      op: op, attributes: Attributes(), inputs: inputs.values, outputs: replaced.outputs, path: replaced.path)
  }
}
