/// A part of a network that a latency table has an entry for: an operator with what a plan computes along with it.
public struct GraphPart: Sendable {
  /// The part as a network of its own.
  public let graph: Graph
  /// The ops in order: `relu conv2d batch_norm`.
  public let name: String
  /// Equal parts, wherever they stand, have equal keys.
  public var key: String { graph.digest }
}

extension Graph {
  /// Ops that a plan computes along with the operator before or after them, or whose cost is small beside it.
  private static let light: Set<String> = [
    "batch_norm", "relu", "relu6", "sigmoid", "tanh", "silu", "hard_swish", "gelu", "softplus", "scale", "clamp",
    "dropout", "drop_path", "stop_gradient", "flatten",
  ]

  /// The network taken apart, in order: each part is one operator, with light ones before and after it that only it
  /// reads or that only read it (nn-Meter's kernels, Zhang et al., MobiSys 2021, section 3). What works on no sample,
  /// such as a table of numbers, belongs to no part, nor does what only zeros depend on: a plan leaves it out.
  public func parts() throws -> [GraphPart] {
    let live = liveNodes()
    var readers = [Int](repeating: 0, count: values.count)
    for index in live { for input in Set(terms(of: nodes[index])) { readers[input] += 1 } }
    for port in outputs { readers[port.value] += 2 }
    var groups: [[Int]] = [], groupOf: [Int: Int] = [:]
    for index in live {
      let node = nodes[index], isLight = Self.light.contains(node.op.name)
      // A sum of one term is that term.
      let isSum = node.op.name == Op.add.name, read = Set(terms(of: node).filter(isActivation))
      guard values[node.outputs[0]].shape.hasBatch, !isSum || terms(of: node).count > 1 else { continue }
      if read.count == 1, let value = read.first, readers[value] == 1, case .node(let maker) = origins[value],
        let group = groupOf[maker], isLight || groups[group].allSatisfy({ Self.light.contains(nodes[$0].op.name) })
      {
        groups[group].append(index)
        groupOf[index] = group
      } else {
        groupOf[index] = groups.count
        groups.append([index])
      }
    }
    return try groups.map(part)
  }

  private func isActivation(_ value: Int) -> Bool {
    if case .parameter = origins[value] { false } else { true }
  }

  /// What a node computes with: zeros need no input, and a sum leaves them out.
  private func terms(of node: Node) -> [Int] {
    func isZero(_ value: Int) -> Bool {
      guard case .node(let index) = origins[value] else { return false }
      return nodes[index].op.name == Op.zero.name
    }
    switch node.op.name {
    case Op.zero.name: return []
    case Op.add.name:
      let others = node.inputs.filter { !isZero($0) }
      return others.isEmpty ? [node.inputs[0]] : others
    default: return node.inputs
    }
  }

  /// The nodes that the outputs depend on, in order.
  private func liveNodes() -> [Int] {
    var isLive = [Bool](repeating: false, count: nodes.count), open = outputs.map(\.value)
    while let value = open.popLast() {
      guard case .node(let index) = origins[value], !isLive[index] else { continue }
      isLive[index] = true
      open += terms(of: nodes[index])
    }
    return nodes.indices.filter { isLive[$0] && nodes[$0].op.name != Op.zero.name }
  }

  private func part(of group: [Int]) throws -> GraphPart {
    let draft = GraphDraft()
    var symbols: [Int: Symbol] = [:]
    for index in group {
      let node = nodes[index]
      let terms = terms(of: node)
      for value in terms where symbols[value] == nil {
        if case .parameter(let number) = origins[value] {
          let parameter = parameters[number]
          symbols[value] = draft.parameter(
            parameter.path, parameter.shape, kind: parameter.kind, initialiser: parameter.initialiser)
        } else {
          symbols[value] = draft.input("x\(draft.graph.inputs.count + 1)", values[value])
        }
      }
      let outputs = try draft.apply(
        node.op, terms.compactMap { symbols[$0] }, node.attributes, path: node.path)
      for (value, symbol) in zip(node.outputs, outputs) { symbols[value] = symbol }
    }
    let last = nodes[group[group.count - 1]]
    if let result = symbols[last.outputs[0]] { draft.output("y", result) }
    return GraphPart(graph: draft.graph, name: group.map { nodes[$0].op.name }.joined(separator: " "))
  }
}
