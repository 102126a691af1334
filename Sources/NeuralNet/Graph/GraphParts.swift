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
  /// such as a table of numbers, belongs to no part.
  public func parts() throws -> [GraphPart] {
    var readers = [Int](repeating: 0, count: values.count)
    for node in nodes { for input in Set(node.inputs) { readers[input] += 1 } }
    for port in outputs { readers[port.value] += 2 }
    var groups: [[Int]] = [], groupOf: [Int: Int] = [:]
    for index in nodes(reaching: outputs.map(\.value)) {
      let node = nodes[index], isLight = Self.light.contains(node.op.name)
      guard values[node.outputs[0]].shape.hasBatch else { continue }
      let read = Set(node.inputs.filter { if case .parameter = origins[$0] { false } else { true } })
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

  private func part(of group: [Int]) throws -> GraphPart {
    let draft = GraphDraft()
    var symbols: [Int: Symbol] = [:]
    for index in group {
      let node = nodes[index]
      for value in node.inputs where symbols[value] == nil {
        if case .parameter(let number) = origins[value] {
          let parameter = parameters[number]
          symbols[value] = draft.parameter(
            parameter.path, parameter.shape, kind: parameter.kind, initialiser: parameter.initialiser)
        } else {
          symbols[value] = draft.input("x\(draft.graph.inputs.count + 1)", values[value])
        }
      }
      let outputs = try draft.apply(
        node.op, node.inputs.compactMap { symbols[$0] }, node.attributes, path: node.path)
      for (value, symbol) in zip(node.outputs, outputs) { symbols[value] = symbol }
    }
    let last = nodes[group[group.count - 1]]
    if let result = symbols[last.outputs[0]] { draft.output("y", result) }
    return GraphPart(graph: draft.graph, name: group.map { nodes[$0].op.name }.joined(separator: " "))
  }
}
