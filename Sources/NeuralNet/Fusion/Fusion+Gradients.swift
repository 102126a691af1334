import TensorCore

// Gradients of convolutions, and how they add up.

extension Fusion {
  /// Joins the two gradients of each convolution, which read views, take the gradient of the ReLU before them and add up.
  mutating func fuseGradients() {
    gatherGradients()
    for index in nodes where Clamp.isGradient(graph.nodes[index]) && !absorbedGradients.contains(index) {
      maskGradients(index)
    }
    if !hasChoices { for index in nodes.reversed() where op(index) == Op.add.name { accumulate(index) } }
    reduceInGradients()
    for (index, gradient) in gradients { replace(index, by: gradient.node()) }
  }

  private mutating func gatherGradients() {
    var ofWeights: [Int: [Int]] = [:]
    for index in nodes where op(index) == Op.conv2dWeightGradient.name {
      ofWeights[graph.nodes[index].inputs[1], default: []].append(index)
    }
    for index in nodes where op(index) == Op.conv2dInputGradient.name {
      let node = graph.nodes[index], dy = node.inputs[0]
      var fused = FusedConvolutionGradient(
        layer: node, outputGradient: outputGradient(dy), weight: node.inputs[1], inputGradient: node.outputs[0])
      // The gradient of the same convolution's weight, which has its shape.
      if let partner = ofWeights[dy]?.first(where: { isPartner($0, of: node, at: index) }) {
        fused.input = image(of: partner)
        fused.weightGradient = graph.nodes[partner].outputs[0]
        ofWeights[dy]?.removeAll { $0 == partner }
      }
      gradients[index] = fused
    }
    for index in ofWeights.values.joined() {
      gradients[index] = FusedConvolutionGradient(
        layer: graph.nodes[index], input: image(of: index),
        outputGradient: outputGradient(graph.nodes[index].inputs[1]),
        weightGradient: graph.nodes[index].outputs[0])
    }
  }

  /// Whether a weight gradient has the geometry of an input gradient and can be computed at its place.
  private func isPartner(_ index: Int, of node: Graph.Node, at place: Int) -> Bool {
    let other = graph.nodes[index], window = ["kernel", "stride", "padding", "dilation", "groups"]
    return index > place && graph.values[other.inputs[0]] == graph.values[node.outputs[0]]
      && graph.values[other.outputs[0]] == graph.values[node.inputs[1]]
      && window.allSatisfy { other.attributes[$0] == node.attributes[$0] }
      && (producer(of: image(of: index).image) ?? -1) < place
  }

  private func image(of weightGradient: Int) -> View {
    let value = graph.nodes[weightGradient].inputs[0]
    return views[value] ?? View(image: value)
  }

  private func outputGradient(_ value: Int) -> FusedConvolutionGradient.OutputGradient {
    gradientViews[value].map { .view($0) } ?? .value(value)
  }

  /// Takes the gradient of a ReLU where the gradient that it masks is written: that of one convolution, or of several that
  /// are added.
  private mutating func maskGradients(_ index: Int) {
    let node = graph.nodes[index], incoming = node.inputs[1], mask = views[node.inputs[0]]?.image ?? node.inputs[0]
    guard let clamp = Clamp(of: node) else { return }
    let sum = producer(of: incoming).flatMap { !hasChoices && op($0) == Op.add.name ? $0 : nil }
    let terms = sum.map { graph.nodes[$0].inputs } ?? [incoming]
    let places = terms.compactMap { openGradient(of: $0)?.place }.filter { gradients[$0]?.mask == nil }
    guard onlyReader(of: incoming) != nil, places.count == terms.count, Set(places).count == places.count,
      places.allSatisfy({ (producer(of: mask) ?? -1) < $0 })
    else {
      // Where a ReLU's output is above 0, so is its input.
      return replace(index, by: node.reading([mask, incoming]))
    }
    for place in places { gradients[place]?.mask = (mask, clamp.high) }
    if let sum {
      setOutput(of: sum, to: node.outputs[0])
    } else {
      gradients[places[0]]?.inputGradient = node.outputs[0]
      graph.origins[node.outputs[0]] = .node(places[0])
    }
  }

  /// Adds up gradients of convolutions where they are written.
  private mutating func accumulate(_ index: Int) {
    guard let sum = accumulation(of: index, by: { $0.openGradient(of: $1) }) else { return }
    for (place, addend) in sum.addends { gradients[place]?.addend = addend }
    let output = graph.nodes[index].outputs[0]
    if let remaining = sum.remaining {
      setOutput(of: index, to: output, inputs: remaining)
    } else if let last = sum.addends.last?.place {
      gradients[last]?.inputGradient = output
      graph.origins[output] = .node(last)
    }
  }

  /// Takes the sums over the batch for a normalisation where the gradient of its output is written.
  private mutating func reduceInGradients() {
    for (index, sums) in reductions.sorted(by: { $0.key < $1.key }) {
      let dy = sums.view.outputGradient
      var read: [Int] = []
      _ = sums.mapped { value in
        read.append(value)
        return value
      }
      guard let place = producer(of: dy), place < index, gradients[place]?.inputGradient == dy,
        gradients[place]?.reduction == nil, read.allSatisfy({ (producer(of: $0) ?? -1) < place })
      else { continue }
      gradients[place]?.reduction = sums
      for output in sums.outputs { graph.origins[output] = .node(place) }
    }
  }

  /// The place of a fused gradient that gives a value as the gradient of its input, and adds nothing yet.
  private func openGradient(of value: Int) -> (place: Int, output: Int)? {
    guard let place = producer(of: value), gradients[place]?.inputGradient == value, gradients[place]?.addend == nil,
      onlyReader(of: value) != nil
    else { return nil }
    return (place, value)
  }
}

extension Graph.Node {
  /// The same node on other inputs.
  fileprivate func reading(_ inputs: [Int]) -> Graph.Node {
    Graph.Node(op: op, attributes: attributes, inputs: inputs, outputs: outputs, path: path)
  }
}
