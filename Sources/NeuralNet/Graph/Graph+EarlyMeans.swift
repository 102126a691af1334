import Canonical
import TensorCore

// Means over positions, taken before the linear maps of each position instead of after them.

extension Graph {
  /// The same function for inference: where the mean over all positions is taken of a sum of linear maps of each position
  /// (pointwise convolutions, linear layers, normalisations by given statistics), the maps are applied to the means of
  /// what they read, unless somebody needs their results too. A map of as many vectors as there are positions becomes one
  /// of a single vector.
  func takingMeansEarly() throws -> Graph {
    var means = EarlyMeans(graph: self)
    guard nodes.contains(where: means.isEarlyMean) else { return self }
    for index in nodes.indices { try means.copy(index) }
    for port in outputs { if let symbol = means.symbols[port.value] { means.draft.output(port.name, symbol) } }
    return means.draft.graph
  }
}

extension Graph.Node {
  /// Whether a convolution sees each position by itself.
  fileprivate var isPointwise: Bool {
    attributes.pair("kernel") == Extent(1) && attributes.pair("stride") == Extent(1)
      && attributes.pair("padding") == Extent(0) && attributes.integer("groups") == 1
  }
}

/// A copy of a graph in the making.
private struct EarlyMeans {
  let graph: Graph
  let draft = GraphDraft(mergingEqualNodes: true)
  /// For each value of the graph, that of the copy.
  var symbols: [Int: Symbol] = [:]
  /// For each value, how many read it.
  private var readers: [Int]

  init(graph: Graph) {
    self.graph = graph
    readers = Array(repeating: 0, count: graph.values.count)
    for index in graph.nodes(reaching: graph.outputs.map(\.value)) {
      for value in graph.nodes[index].inputs { readers[value] += 1 }
    }
    for port in graph.outputs { readers[port.value] += 1 }
    for port in graph.inputs { symbols[port.value] = draft.input(port.name, graph.values[port.value]) }
    for parameter in graph.parameters {
      symbols[parameter.value] = draft.parameter(
        parameter.path, parameter.shape, kind: parameter.kind, initialiser: parameter.initialiser,
        isFree: parameter.isFree)
    }
  }

  func isEarlyMean(_ node: Graph.Node) -> Bool {
    node.op.name == Op.globalAvgPool.name && commutes(with: node.inputs[0])
  }

  /// Whether a value that only the mean reads is a linear map of each position, or a sum with one.
  private func commutes(with value: Int) -> Bool {
    guard readers[value] == 1, case .node(let index) = graph.origins[value] else { return false }
    let node = graph.nodes[index]
    switch node.op.name {
    case Op.linear.name: return true
    case Op.conv2d.name: return node.isPointwise
    case Op.normalise.name: return commutes(with: node.inputs[0])
    case Op.add.name: return node.inputs.contains { commutes(with: $0) }
    case Op.reshape.name: return keepsChannels(node) && commutes(with: node.inputs[0])
    default: return false
    }
  }

  /// Whether only the arrangement of the positions changes.
  private func keepsChannels(_ node: Graph.Node) -> Bool {
    graph.values[node.inputs[0]].shape.channels == graph.values[node.outputs[0]].shape.channels
  }

  mutating func copy(_ index: Int) throws {
    let node = graph.nodes[index]
    if isEarlyMean(node) {
      symbols[node.outputs[0]] = try mean(of: node.inputs[0], path: node.path)
      return
    }
    let outputs = try draft.apply(node.op, node.inputs.compactMap { symbols[$0] }, node.attributes, path: node.path)
    for (value, symbol) in zip(node.outputs, outputs) { symbols[value] = symbol }
  }

  /// The mean of a value over its positions, from those of what it is a linear map of.
  private func mean(of value: Int, path: String) throws -> Symbol {
    guard commutes(with: value), case .node(let index) = graph.origins[value] else {
      return try draft.apply(.meanOverPositions, [symbol(value)], path: path)[0]
    }
    let node = graph.nodes[index], first = node.inputs[0], others = node.inputs.dropFirst().map(symbol)
    switch node.op.name {
    case Op.reshape.name: return try mean(of: first, path: path)
    case Op.add.name:
      return try draft.apply(.add, try node.inputs.map { try mean(of: $0, path: path) }, path: node.path)[0]
    case Op.normalise.name:
      return try draft.apply(node.op, [try mean(of: first, path: path)] + others, node.attributes, path: node.path)[0]
    default:
      let attributes = Attributes([
        "features": .int(graph.values[value].shape.channels), "bias": .bool(others.count > 1),
      ])
      return try draft.apply(.linear, [try mean(of: first, path: path)] + others, attributes, path: node.path)[0]
    }
  }

  private func symbol(_ value: Int) -> Symbol { symbols[value]! }
}

extension Op {
  /// Mean over all positions, `[N, …, C] -> [N, C]`.
  fileprivate static let meanOverPositions: Op = Op(
    "mean_over_positions", "Mean over all positions.", role: .derived, paddingLanes: .carried,
    infer: { [ValueType(.vector($0.input.shape.channels))] },
    kernel: { site in
      let shape = site.inputs[0].shape, compute = site.compute
      let image = ImageShape(n: site.batch, h: 1, w: shape.rows(batch: 1), c: shape.channels)
      return Kernel { call in
        Pooling.globalAverage(image, input: call.input(0), output: call.output(0), compute: compute)
      }
    })
}
