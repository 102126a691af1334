import Canonical
import Diagnostics

extension Graph {
  /// The network of one path: every choice replaced by the branch that `selection` names for its decision, by the option's
  /// position; what only other branches need is left out.
  public func taking(_ selection: [String: Int]) throws -> Graph {
    let draft = GraphDraft()
    var symbols: [Int: Symbol] = [:]
    for port in inputs { symbols[port.value] = draft.input(port.name, values[port.value]) }
    let roots = try outputs.map { try root($0.value, selection) }
    for index in try nodes(onPathTo: roots, selection) {
      let node = nodes[index]
      let read = try node.inputs.map { input -> Symbol in
        let value = try root(input, selection)
        if let symbol = symbols[value] { return symbol }
        guard case .parameter(let number) = origins[value] else { throw Fault(.internal, "a path lost a value") }
        let parameter = parameters[number]
        let symbol = draft.parameter(
          parameter.path, parameter.shape, kind: parameter.kind, initialiser: parameter.initialiser)
        symbols[value] = symbol
        return symbol
      }
      for (output, symbol) in zip(node.outputs, try draft.apply(node.op, read, node.attributes, path: node.path)) {
        symbols[output] = symbol
      }
    }
    for (port, value) in zip(outputs, roots) { if let symbol = symbols[value] { draft.output(port.name, symbol) } }
    return draft.graph
  }

  /// The value that stands for another on a path.
  private func root(_ value: Int, _ selection: [String: Int]) throws -> Int {
    var value = value
    while case .node(let index) = origins[value], nodes[index].op.name == Op.choice.name {
      let node = nodes[index], decision = node.attributes["decision"]?.string ?? ""
      guard let branch = selection[decision], node.inputs.indices.contains(branch) else {
        throw Fault(.internal, "a path has no branch for a choice", path: decision)
      }
      value = node.inputs[branch]
    }
    return value
  }

  private func nodes(onPathTo roots: [Int], _ selection: [String: Int]) throws -> [Int] {
    var isNeeded = [Bool](repeating: false, count: nodes.count), open = roots
    while let value = open.popLast() {
      guard case .node(let index) = origins[value], !isNeeded[index] else { continue }
      isNeeded[index] = true
      open += try nodes[index].inputs.map { try root($0, selection) }
    }
    return nodes.indices.filter { isNeeded[$0] }
  }
}
