import TensorCore

// Sums of values, added up where these are written or in one pass.

extension Fusion {
  /// How a sum is added up while its terms are written.
  struct Accumulation {
    /// For each place that adds, in the order in which they run, what it adds to its result.
    var addends: [(place: Int, addend: Int?)]
    /// What is left to add by the sum itself; nil when the last place gives the whole.
    var remaining: [Int]?
  }

  /// A sum whose terms are all among those of a later one is a term of that in their place.
  mutating func shareSums() {
    let sums = nodes.filter { op($0) == Op.add.name }
    for (position, later) in sums.enumerated() {
      for earlier in sums[..<position] {
        let part = graph.nodes[earlier], whole = graph.nodes[later].inputs
        if let rest = whole.removing(part.inputs), !rest.isEmpty {
          setOutput(of: later, to: graph.nodes[later].outputs[0], inputs: [part.outputs[0]] + rest)
        }
      }
    }
    findReaders()
  }

  /// Shares a sum among the nodes that give its terms and can add to their results.
  ///
  /// - Parameter place: for a term, where the node is that can, and the term; nil for another.
  func accumulation(
    of index: Int, by place: (Fusion, Int) -> (place: Int, output: Int)?
  ) -> Accumulation? {
    let sum = graph.nodes[index]
    guard producer(of: sum.outputs[0]) == index, isGrid(sum.outputs[0]) else { return nil }
    let terms = flattened(sum.inputs, of: index)
    let adding = terms.compactMap { onlyReader(of: $0) == nil ? nil : place(self, $0) }.sorted { $0.place < $1.place }
    guard let first = adding.first?.place, Set(adding.map(\.place)).count == adding.count else { return nil }
    let outputs = Set(adding.map(\.output))
    var others = terms.filter { !outputs.contains($0) }
    // What is there before the first of them is what that one adds to.
    var total = others.firstIndex { (producer(of: $0) ?? -1) < first }.map { others.remove(at: $0) }
    var addends: [(place: Int, addend: Int?)] = []
    for term in adding {
      addends.append((term.place, total))
      total = term.output
    }
    // A single term that adds to nothing is a sum as it was.
    if addends.count == 1, addends[0].addend == nil { return nil }
    return Accumulation(addends: addends, remaining: others.isEmpty ? nil : others + [total].compactMap { $0 })
  }

  /// The terms of a sum, with those of a sum that is a term of nothing else in its place.
  private func flattened(_ terms: [Int], of index: Int) -> [Int] {
    terms.flatMap { term -> [Int] in
      guard let inner = producer(of: term), op(inner) == Op.add.name, onlyReader(of: term) != nil else { return [term] }
      return flattened(graph.nodes[inner].inputs, of: inner)
    }
  }

  /// Gives a sum another output, and other terms if wanted.
  mutating func setOutput(of sum: Int, to value: Int, inputs: [Int]? = nil) {
    let node = graph.nodes[sum]
    replace(
      sum,
      by: Graph.Node(
        op: node.op, attributes: node.attributes, inputs: inputs ?? node.inputs, outputs: [value], path: node.path))
  }

  /// Replaces what is left of normalisations, their ReLUs and the sums of them by one pass each.
  mutating func sumInPasses() {
    findReaders()
    summing = Set(nodes.filter { isSum($0) || isMixture($0) })
    for index in nodes.reversed() {
      let node = graph.nodes[index]
      if !Clamp.isGradient(node), let clamp = Clamp(of: node) {
        sumBefore(index, clamp)
      } else if isMixture(index) {
        replaceMixture(index)
      } else if isSum(index), node.inputs.contains(where: { ownNormalisation($0) != nil }) {
        sum(node.inputs.map(term), nil, in: index)
      }
    }
    findReaders()
    for index in nodes where op(index) == Op.batchNormalise.name { splitStatistics(index) }
  }

  /// A ReLU of a sum or of a normalisation that nobody else reads.
  private mutating func sumBefore(_ index: Int, _ clamp: Clamp) {
    let value = graph.nodes[index].inputs[0]
    guard onlyReader(of: value) != nil, isGrid(value), let before = producer(of: value) else { return }
    if isSum(before) {
      sum(graph.nodes[before].inputs.map(term), clamp, in: index)
    } else if let normal = normalisation(to: value) {
      sum([(graph.nodes[normal].inputs[0], Normalisation(of: graph.nodes[normal]))], clamp, in: index)
    }
  }

  private mutating func sum(
    _ terms: [(image: Int, normalisation: Normalisation?)], _ clamp: Clamp?, in index: Int
  ) {
    let fused = NormalisedSum(
      replaced: graph.nodes[index], terms: NormalisedTerms(terms: terms), low: clamp?.low ?? -.infinity,
      high: clamp?.high ?? .infinity, output: graph.nodes[index].outputs[0])
    replace(index, by: fused.node())
  }

  /// A mixture, or the gradient of its weights.
  private mutating func replaceMixture(_ index: Int) {
    let node = graph.nodes[index], terms = node.inputs.dropFirst().map(term)
    if op(index) == Op.weightedSum.name {
      let factors = (weights: node.inputs[0], elements: Array(terms.indices))
      let fused = NormalisedSum(
        replaced: node, terms: NormalisedTerms(terms: terms, factors: factors), output: node.outputs[0])
      replace(index, by: fused.node())
    } else {
      replace(index, by: NormalisedDots(replaced: node, terms: NormalisedTerms(terms: terms)).node())
    }
  }

  /// The statistics of a batch, or the normalisation by them, where the other is computed elsewhere or not at all.
  private mutating func splitStatistics(_ index: Int) {
    let node = graph.nodes[index], value = node.outputs[0]
    let isRead = kept.contains(value) || !readers[value].isEmpty
    let givesStatistics = producer(of: node.outputs[1]) == index
    if isRead, !givesStatistics {
      let terms = NormalisedTerms(terms: [(node.inputs[0], Normalisation(of: node))])
      replace(index, by: NormalisedSum(replaced: node, terms: terms, output: value).node())
    } else if !isRead {
      replace(index, by: BatchStatistics(replaced: node).node())
    }
  }

  /// A value as a term of a sum that normalises it itself.
  private func term(_ value: Int) -> (image: Int, normalisation: Normalisation?) {
    guard let normal = ownNormalisation(value) else { return (value, nil) }
    return (graph.nodes[normal].inputs[0], Normalisation(of: graph.nodes[normal]))
  }

  /// The normalisation that gives a value which only sums read.
  private func ownNormalisation(_ value: Int) -> Int? {
    guard !kept.contains(value), readers[value].allSatisfy(summing.contains) else { return nil }
    return normalisation(to: value)
  }

  private func isSum(_ index: Int) -> Bool {
    !hasChoices && op(index) == Op.add.name && isGrid(graph.nodes[index].outputs[0])
  }

  /// Whether a node is a mixture of images or the gradient of its weights.
  private func isMixture(_ index: Int) -> Bool {
    [Op.weightedSum.name, Op.weightedSumWeightGradient.name].contains(op(index))
      && isGrid(graph.nodes[index].inputs[1])
  }

  /// Whether a value is rows of channels.
  private func isGrid(_ value: Int) -> Bool {
    let type = graph.values[value]
    return type.element == .float && type.shape.hasBatch && !type.shape.dimensions.isEmpty
  }
}

extension [Int] {
  /// What is left without some elements, each taken out once; nil unless all of them are there.
  fileprivate func removing(_ elements: [Int]) -> [Int]? {
    var rest = self
    for element in elements {
      guard let index = rest.firstIndex(of: element) else { return nil }
      rest.remove(at: index)
    }
    return rest
  }
}
