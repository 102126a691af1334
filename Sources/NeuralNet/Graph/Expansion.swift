extension Graph {
  /// The graph as it runs in a mode: layers expanded, nodes that no output depends on left out, equal nodes merged
  /// (the edges of a cell that apply one activation to one value share it).
  ///
  /// Inputs, parameters and outputs keep their order and names; the result can still grow, by a loss and its gradient.
  func expanded(for mode: ExecutionMode) throws -> GraphDraft { try expanded(for: mode, keeping: []).draft }

  /// The same, with what some values depend on left in, and for each value of this graph its counterpart. Ops that are
  /// `whole` stay as they are.
  func expanded(
    for mode: ExecutionMode, keeping kept: [Int], whole: (Op) -> Bool = { _ in false }
  ) throws -> (draft: GraphDraft, symbols: [Int: Symbol]) {
    let draft = GraphDraft(mergingEqualNodes: true)
    var symbols: [Int: Symbol] = [:]
    for port in inputs { symbols[port.value] = draft.input(port.name, values[port.value]) }
    for parameter in parameters {
      symbols[parameter.value] = draft.parameter(
        parameter.path, parameter.shape, kind: parameter.kind, initialiser: parameter.initialiser)
    }
    for index in nodes(reaching: outputs.map(\.value) + kept) {
      let node = nodes[index], inputs = node.inputs.compactMap { symbols[$0] }
      let results =
        try whole(node.op)
        ? draft.apply(node.op, inputs, node.attributes, path: node.path)
        : draft.expand(node.op, inputs, node.attributes, mode: mode, path: node.path)
      for (output, symbol) in zip(node.outputs, results) { symbols[output] = symbol }
    }
    for port in outputs { if let symbol = symbols[port.value] { draft.output(port.name, symbol) } }
    return (draft, symbols)
  }
}

extension GraphDraft {
  /// Adds what an op becomes in a mode: the op itself where that does not depend on the mode.
  func expand(
    _ op: Op, _ inputs: [Symbol], _ attributes: Attributes = Attributes(), mode: ExecutionMode, path: String
  ) throws -> [Symbol] {
    guard let expansion = op.expansion else { return try apply(op, inputs, attributes, path: path) }
    return try expansion(
      ExpansionSite(draft: self, mode: mode, path: path, attributes: attributes, inputs: inputs))
  }
}
