import Canonical
import Diagnostics

extension GraphDraft {
  /// Adds the nodes that compute gradients of a loss by `targets`, given its gradient by `output`; nil for a target that
  /// `output` does not depend on.
  ///
  /// Reverse accumulation over the nodes built so far. A value used more than once gets the sum of its contributions in
  /// one n-ary `add`, in the reverse order of its uses. The result is made of ops of the table.
  func gradients(of output: Symbol, from outputGradient: Symbol, wrt targets: [Symbol]) throws -> [Symbol?] {
    let reaching = graph.nodes(reaching: [output.id])
    return try gradients(through: reaching, of: [output], from: [outputGradient], wrt: targets)
  }

  /// The gradients of outputs by `inputs` as if the inputs did not depend on each other: for an op whose gradient is
  /// that of an equal computation.
  ///
  /// - Parameters:
  ///   - outputs: computed from `inputs` and constants alone.
  ///   - outputGradients: the gradients of the loss by the outputs; nil where there is none.
  func partialGradients(
    of outputs: [Symbol], from outputGradients: [Symbol?], wrt inputs: [Symbol]
  ) throws -> [Symbol?] {
    let pairs = zip(outputs, outputGradients).compactMap { output, gradient in gradient.map { (output, $0) } }
    let between = nodes(from: Set(inputs.map(\.id)), to: pairs.map(\.0.id))
    return try gradients(through: between, of: pairs.map(\.0), from: pairs.map(\.1), wrt: inputs)
  }

  /// The nodes that the outputs are computed with, back to the inputs, in the graph's order.
  private func nodes(from inputs: Set<Int>, to outputs: [Int]) -> [Int] {
    var found: Set<Int> = [], open = outputs
    while let value = open.popLast() {
      guard !inputs.contains(value), case .node(let index) = graph.origins[value], found.insert(index).inserted
      else { continue }
      open += graph.nodes[index].inputs
    }
    return found.sorted()
  }

  /// Reverse accumulation over some nodes, given in the graph's order.
  private func gradients(
    through nodes: [Int], of outputs: [Symbol], from outputGradients: [Symbol], wrt targets: [Symbol]
  ) throws -> [Symbol?] {
    let isWanted = dependents(of: targets)
    var contributions: [Int: [Symbol]] = [:]
    for (output, gradient) in zip(outputs, outputGradients) { contributions[output.id, default: []].append(gradient) }
    for index in nodes.reversed() {
      let node = graph.nodes[index]
      guard node.outputs.contains(where: { isWanted[$0] && contributions[$0] != nil }) else { continue }
      let outputGradients = try node.outputs.map { try total(&contributions, of: $0, path: node.path) }
      let gradients = try gradients(of: node, from: outputGradients, isWanted: isWanted)
      for (input, gradient) in zip(node.inputs, gradients) where isWanted[input] {
        if let gradient { contributions[input, default: []].append(gradient) }
      }
    }
    return try targets.map { try total(&contributions, of: $0.id, path: "gradient") }
  }

  private func gradients(
    of node: Graph.Node, from outputGradients: [Symbol?], isWanted: [Bool]
  ) throws -> [Symbol?] {
    guard let rule = node.op.gradient else {
      throw Fault(
        .recipe, "\(node.op.name) has no gradient", path: node.path,
        hint: "Take gradients of a lower order, or stop_gradient before it.")
    }
    let first = symbol(node.outputs[0]), unit: JSONValue = [1, 1]
    let outputGradient =
      try outputGradients[0] ?? apply(.zero, [first], Attributes(["stride": unit]), path: node.path)[0]
    return try rule(
      GradientSite(
        draft: self, path: node.path, attributes: node.attributes, inputs: node.inputs.map(symbol),
        outputs: node.outputs.map(symbol), outputGradients: outputGradients, outputGradient: outputGradient,
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
