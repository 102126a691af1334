import TensorCore

// Convolutions with what is before and after them.

extension Fusion {
  /// Every convolution that may take something in, and every layer whose weights can be prepared.
  mutating func gatherConvolutions() {
    for index in nodes {
      let node = graph.nodes[index], isConvolution = op(index) == Op.conv2d.name
      let isPrepared = hasConstantParameters && node.inputs.dropFirst().allSatisfy(isParameter)
      guard isConvolution || (isPrepared && op(index) == Op.linear.name) else { continue }
      convolutions[index] = FusedConvolution(
        layer: node, input: View(image: node.inputs[0]), weight: node.inputs[1],
        bias: node.inputs.count > 2 ? node.inputs[2] : nil, output: node.outputs[0], isPrepared: isPrepared)
    }
  }

  /// Normalisations by constants go into the weights, then ReLUs and sums into the pass that writes the result.
  mutating func foldIntoConvolutions() {
    for index in convolutions.keys.sorted() {
      guard var fused = convolutions[index], fused.isPrepared else { continue }
      if let next = onlyReader(of: fused.output), op(next) == Op.normalise.name,
        graph.nodes[next].inputs[0] == fused.output, graph.nodes[next].inputs.dropFirst().allSatisfy(isParameter)
      {
        fused.folded = Normalisation(of: graph.nodes[next])
        fused.output = graph.nodes[next].outputs[0]
      }
      setConvolution(index, clamped(fused))
    }
    guard !hasChoices else { return }
    for index in nodes.reversed() where op(index) == Op.add.name { addIntoConvolutions(index) }
  }

  /// Sets what takes the place of a node, and its output.
  private mutating func setConvolution(_ index: Int, _ fused: FusedConvolution) {
    convolutions[index] = fused
    graph.origins[fused.output] = .node(index)
  }

  /// With the ReLU that alone reads the result.
  private func clamped(_ fused: FusedConvolution) -> FusedConvolution {
    guard let next = onlyReader(of: fused.output), !Clamp.isGradient(graph.nodes[next]),
      let clamp = Clamp(of: graph.nodes[next])
    else { return fused }
    var clamped = fused
    (clamped.low, clamped.high) = (clamp.low, clamp.high)
    clamped.output = graph.nodes[next].outputs[0]
    return clamped
  }

  /// The terms of a sum that prepared convolutions give are added up where these are written.
  private mutating func addIntoConvolutions(_ index: Int) {
    guard let sum = accumulation(of: index, by: { $0.openConvolution(of: $1) }) else { return }
    for (place, addend) in sum.addends { convolutions[place]?.addend = addend }
    if let remaining = sum.remaining {
      setOutput(of: index, to: graph.nodes[index].outputs[0], inputs: remaining)
    } else if let last = sum.addends.last?.place, var fused = convolutions[last] {
      fused.output = graph.nodes[index].outputs[0]
      setConvolution(last, clamped(fused))
    }
  }

  /// The place of a prepared convolution that gives a value and has nothing after it yet.
  private func openConvolution(of value: Int) -> (place: Int, output: Int)? {
    guard let place = producer(of: value), let fused = convolutions[place], fused.output == value, fused.isPrepared,
      fused.addend == nil, fused.low == -.infinity, fused.high == .infinity
    else { return nil }
    return (place, value)
  }

  /// Puts in the convolutions, which read views and give the statistics of their results.
  mutating func fuseConvolutions() {
    for (index, convolution) in convolutions.sorted(by: { $0.key < $1.key }) {
      var fused = convolution
      if let view = views[fused.input.image] { fused.input = view }
      if fused.folded == nil, let next = readers[fused.output].first(where: { op($0) == Op.batchNormalise.name }),
        graph.nodes[next].inputs[0] == fused.output
      {
        let outputs = graph.nodes[next].outputs
        fused.statistics = (outputs[1], outputs[2])
      }
      if fused.isFused { replace(index, by: fused.node()) }
    }
  }
}
