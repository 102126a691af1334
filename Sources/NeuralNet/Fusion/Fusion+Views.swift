import TensorCore

// Which values are made by their readers.

extension Fusion {
  /// Gradients of batch normalisations that only gradients of convolutions read: what is left to compute is the sums over
  /// the batch.
  mutating func viewGradientsOfNormalisations() {
    for index in nodes where op(index) == Op.batchNormGradient.name {
      let node = graph.nodes[index], dz = node.outputs[0]
      guard !kept.contains(dz), graph.values[dz].shape.isImage, readers[dz].allSatisfy({ reads($0, asGradient: dz) })
      else { continue }
      let behind = clampBehind(node), factor = factorBehind(node)
      let view = GradientView(
        outputGradient: behind?.outputGradient ?? factor?.outputGradient ?? node.inputs[1], image: node.inputs[0],
        coefficients: addValue(
          ValueType(.array([BatchNormalization.GradientCoefficients.storageFloats(channels: node.channels(in: graph))]))
        ),
        clamp: behind?.clamp)
      gradientViews[dz] = view
      if let behind { absorbedGradients.insert(behind.node) }
      let sums = NormalisationSums(
        replaced: node, view: view, normalisation: behind?.normalisation ?? Normalisation(ofGradient: node),
        factor: factor.map { ($0.weights, $0.element) })
      replace(index, by: sums.node())
      reductions[index] = sums
    }
  }

  /// The weight of a mixture after the normalisation that a node is the gradient of, where nothing else reads the product
  /// of it and the gradient.
  private func factorBehind(_ node: Graph.Node) -> (outputGradient: Int, weights: Int, element: Int)? {
    let dy = node.inputs[1]
    guard onlyReader(of: dy) != nil, let scaling = producer(of: dy), op(scaling) == Op.scaledByElement.name else {
      return nil
    }
    let scaled = graph.nodes[scaling]
    return (scaled.inputs[0], scaled.inputs[1], scaled.attributes.integer("element"))
  }

  /// The ReLU after the normalisation that a node is the gradient of, where nothing else needs its gradient: the node of
  /// that, what it takes the gradient from, and the normalisation.
  private func clampBehind(
    _ node: Graph.Node
  ) -> (node: Int, outputGradient: Int, clamp: Clamp, normalisation: Normalisation)? {
    let dy = node.inputs[1]
    guard onlyReader(of: dy) != nil, let gradient = producer(of: dy), Clamp.isGradient(graph.nodes[gradient]),
      let clamp = Clamp(of: graph.nodes[gradient]), let relu = producer(of: graph.nodes[gradient].inputs[0]),
      Clamp(of: graph.nodes[relu]) != nil, let forward = normalisation(to: graph.nodes[relu].inputs[0]),
      graph.nodes[forward].inputs[0] == node.inputs[0]
    else { return nil }
    return (gradient, graph.nodes[gradient].inputs[1], clamp, Normalisation(of: graph.nodes[forward]))
  }

  /// ReLUs and normalisations that only convolutions read, and gradients that can do without.
  mutating func viewActivations() {
    for index in nodes {
      let node = graph.nodes[index]
      guard let value = node.outputs.first, producer(of: value) == index, !kept.contains(value),
        graph.values[value].shape.isImage
      else { continue }
      if let clamp = Clamp(of: node), !Clamp.isGradient(node) {
        let before = normalisation(to: node.inputs[0]).flatMap { onlyReader(of: node.inputs[0]) == nil ? nil : $0 }
        guard readers[value].allSatisfy({ reads($0, asImage: value, isNormalised: before != nil) }) else { continue }
        views[value] = View(
          image: before.map { graph.nodes[$0].inputs[0] } ?? node.inputs[0],
          normalisation: before.map { Normalisation(of: graph.nodes[$0]) }, low: clamp.low, high: clamp.high)
      } else if normalisation(to: value) == index,
        readers[value].allSatisfy({ reads($0, asImage: value, isNormalised: true) }), !readers[value].isEmpty
      {
        views[value] = View(image: node.inputs[0], normalisation: Normalisation(of: node))
      }
    }
  }

  /// Whether a node can make an image itself that it reads.
  private func reads(_ index: Int, asImage value: Int, isNormalised: Bool) -> Bool {
    let inputs = graph.nodes[index].inputs
    guard inputs[0] == value, !inputs.dropFirst().contains(value) else { return false }
    if [Op.conv2d.name, Op.conv2dWeightGradient.name].contains(op(index)) { return true }
    // Where a ReLU's output is above 0, so is its input.
    return absorbedGradients.contains(index) || (!isNormalised && Clamp.isGradient(graph.nodes[index]))
  }

  /// Whether a node can make the gradient of a convolution's output itself.
  private func reads(_ index: Int, asGradient value: Int) -> Bool {
    let inputs = graph.nodes[index].inputs
    guard inputs.filter({ $0 == value }).count == 1 else { return false }
    return (op(index) == Op.conv2dInputGradient.name && inputs[0] == value)
      || (op(index) == Op.conv2dWeightGradient.name && inputs[1] == value)
  }
}

extension Normalisation {
  /// What a `batch_norm_gradient` node has of the normalisation.
  fileprivate init(ofGradient node: Graph.Node) {
    (mean, variance) = (node.inputs[2], node.inputs[3])
    weight = node.inputs.count > 4 ? node.inputs[4] : nil
    epsilon = Float(node.attributes.number("epsilon"))
  }
}

extension Graph.Node {
  fileprivate func channels(in graph: Graph) -> Int { graph.values[inputs[0]].shape.channels }
}
