import Canonical
import Diagnostics

extension GraphDraft {
  /// Adds the nodes that compute gradients of a loss by `targets`, given its gradient by `output`; nil for a target that
  /// `output` does not depend on.
  ///
  /// Reverse accumulation over the nodes built so far. A value used more than once gets the sum of its contributions in
  /// one n-ary `add`, in the reverse order of its uses. The result is made of ops of the table.
  func gradients(of output: Symbol, from outputGradient: Symbol, wrt targets: [Symbol]) throws -> [Symbol?] {
    let isWanted = dependents(of: targets)
    var contributions = [output.id: [outputGradient]]
    let isReaching = Set(graph.nodes(reaching: [output.id]))
    for index in graph.nodes.indices.reversed() where isReaching.contains(index) {
      let node = graph.nodes[index]
      guard let first = node.outputs.first, isWanted[first],
        let outputGradient = try total(&contributions, of: first, path: node.path)
      else { continue }
      let gradients = try gradients(of: node, from: outputGradient, isWanted: isWanted)
      for (input, gradient) in zip(node.inputs, gradients) where isWanted[input] {
        if let gradient { contributions[input, default: []].append(gradient) }
      }
    }
    return try targets.map { try total(&contributions, of: $0.id, path: "gradient") }
  }

  private func gradients(
    of node: Graph.Node, from outputGradient: Symbol, isWanted: [Bool]
  ) throws -> [Symbol?] {
    guard let rule = node.op.gradient else {
      throw Fault(.internal, "\(node.op.name) has no gradient", path: node.path)
    }
    return try rule(
      GradientSite(
        draft: self, path: node.path, attributes: node.attributes, inputs: node.inputs.map(symbol),
        outputs: node.outputs.map(symbol), outputGradient: outputGradient,
        isWanted: node.inputs.map { isWanted[$0] }))
  }

  /// The sum of the contributions to a value's gradient, added as a node once.
  private func total(_ contributions: inout [Int: [Symbol]], of value: Int, path: String) throws -> Symbol? {
    guard let terms = contributions[value] else { return nil }
    let sum = terms.count == 1 ? terms[0] : try apply(.add, terms, path: "\(path)/gradient_sum")[0]
    contributions[value] = [sum]
    return sum
  }

  /// For each value, whether it depends on one of the targets.
  private func dependents(of targets: [Symbol]) -> [Bool] {
    var depends = [Bool](repeating: false, count: graph.values.count)
    for target in targets { depends[target.id] = true }
    for node in graph.nodes where node.inputs.contains(where: { depends[$0] }) {
      for output in node.outputs { depends[output] = true }
    }
    return depends
  }
}
