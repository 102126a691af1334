import Canonical
import Diagnostics

extension Graph {
  /// The network of one path: every choice replaced by the branches that `selection` names for its decision, by the
  /// options' positions; what only other branches need is left out.
  public func taking(_ selection: [String: [Int]]) throws -> Graph {
    let draft = GraphDraft()
    var symbols: [Int: Symbol] = [:]
    for port in inputs { symbols[port.value] = draft.input(port.name, values[port.value]) }
    let roots = try outputs.map { try root($0.value, selection) }
    for index in try nodes(onPathTo: roots, selection) {
      let node = nodes[index], isChoice = node.op.name == Op.choice.name
      let read = try inputs(of: node, selection).map { value -> Symbol in
        if let symbol = symbols[value] { return symbol }
        guard case .parameter(let number) = origins[value] else { throw Fault(.internal, "a path lost a value") }
        let parameter = parameters[number]
        let symbol = draft.parameter(
          parameter.path, parameter.shape, kind: parameter.kind, initialiser: parameter.initialiser)
        symbols[value] = symbol
        return symbol
      }
      let made = try draft.apply(
        isChoice ? .add : node.op, read, isChoice ? Attributes() : node.attributes, path: node.path)
      for (output, symbol) in zip(node.outputs, made) {
        symbols[output] = symbol
      }
    }
    for (port, value) in zip(outputs, roots) { if let symbol = symbols[value] { draft.output(port.name, symbol) } }
    return draft.graph
  }

  /// The value that stands for another on a path.
  private func root(_ value: Int, _ selection: [String: [Int]]) throws -> Int {
    var value = value
    while case .node(let index) = origins[value], nodes[index].op.name == Op.choice.name {
      let branches = try chosen(nodes[index], selection)
      guard branches.count == 1 else { break }
      value = branches[0]
    }
    return value
  }

  /// What a node reads on a path.
  private func inputs(of node: Node, _ selection: [String: [Int]]) throws -> [Int] {
    let read = node.op.name == Op.choice.name ? try chosen(node, selection) : node.inputs
    return try read.map { try root($0, selection) }
  }

  /// The values of the branches that a choice takes.
  private func chosen(_ node: Node, _ selection: [String: [Int]]) throws -> [Int] {
    let decision = node.attributes["decision"]?.string ?? ""
    guard let branches = selection[decision], branches.allSatisfy(node.inputs.indices.contains) else {
      throw Fault(.internal, "a path has no branch for a choice", path: decision)
    }
    return branches.map { node.inputs[$0] }
  }

  private func nodes(onPathTo roots: [Int], _ selection: [String: [Int]]) throws -> [Int] {
    var isNeeded = [Bool](repeating: false, count: nodes.count), open = roots
    while let value = open.popLast() {
      guard case .node(let index) = origins[value], !isNeeded[index] else { continue }
      isNeeded[index] = true
      open += try inputs(of: nodes[index], selection)
    }
    return nodes.indices.filter { isNeeded[$0] }
  }
}
