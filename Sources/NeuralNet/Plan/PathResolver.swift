import Canonical

/// Which calls of a plan run, and where each value lies, once every choice has taken a branch.
///
/// Values of unchosen branches are absent. What needs an absent value is absent too; a sum leaves absent terms out, and
/// zeros. What nobody needs any more does not run. So a path runs the same calls on the same buffers as a plan of its
/// own network would.
struct PathResolver {
  /// How a node behaves under a selection.
  private enum Role {
    case choice(decision: Int)
    case gradient(decision: Int, branch: Int)
    case sum(isExternal: Bool)
    case zero
    case plain
  }

  /// A call that runs, with the values that it reads: for a sum the present terms alone.
  struct ActiveCall {
    let call: Int
    let inputs: [Int]
  }

  /// A resolved path.
  struct Path {
    var calls: [ActiveCall] = []
    /// For each value, the value whose buffer has it; nil for one that is absent.
    var roots: [Int?]
  }

  /// The decisions of the graph's choices, in the order of their first appearance, and how many options each has.
  let decisions: [(name: String, options: [String])]
  private let graph: Graph
  private let nodes: [Int]
  private let roles: [Role]
  private let wanted: [Int]

  /// - Parameters:
  ///   - nodes: the nodes that have calls, in the order in which they run.
  ///   - kept: values that somebody outside reads.
  ///   - external: values that must be written to a place of their own: gradients of parameters.
  init(_ graph: Graph, nodes: [Int], kept: [Int], external: Set<Int>) {
    var decisions: [(name: String, options: [String])] = [], numbers: [String: Int] = [:]
    func number(_ attributes: Attributes) -> Int {
      let name = attributes["decision"]?.string ?? ""
      if let known = numbers[name] { return known }
      numbers[name] = decisions.count
      decisions.append((name, attributes["options"]?.array?.compactMap(\.string) ?? []))
      return decisions.count - 1
    }
    roles = nodes.map { index in
      let node = graph.nodes[index]
      switch node.op.name {
      case Op.choice.name: return .choice(decision: number(node.attributes))
      case Op.chosenGradient.name:
        return .gradient(decision: number(node.attributes), branch: node.attributes.integer("branch"))
      case Op.add.name: return .sum(isExternal: external.contains(node.outputs[0]))
      case Op.zero.name: return .zero
      default: return .plain
      }
    }
    (self.graph, self.nodes, self.decisions) = (graph, nodes, decisions)
    wanted = kept + external.sorted()
  }

  /// Whether the ops of a graph include a choice.
  static func isNeeded(for graph: Graph) -> Bool { graph.nodes.contains { $0.op.name == Op.choice.name } }

  /// The path of a selection: for each decision, the positions of the options that it takes, ascending.
  func resolve(_ selection: [[Int]]) -> Path {
    var path = Path(roots: Array(repeating: nil, count: graph.values.count))
    for value in graph.values.indices {
      if case .node = graph.origins[value] { continue }
      path.roots[value] = value
    }
    var isZero = [Bool](repeating: false, count: graph.values.count)
    var inputs = [[Int]?](repeating: nil, count: nodes.count)
    for call in nodes.indices { inputs[call] = place(call, selection, &path.roots, &isZero) }
    path.calls = needed(inputs, path.roots)
    return path
  }

  /// Places a node's outputs; returns what it reads if it has to run.
  private func place(_ call: Int, _ selection: [[Int]], _ roots: inout [Int?], _ isZero: inout [Bool]) -> [Int]? {
    let node = graph.nodes[nodes[call]]
    func sum(_ inputs: [Int], isExternal: Bool) -> [Int]? {
      let present = inputs.compactMap { roots[$0] }, terms = present.filter { !isZero[$0] }
      let isOwn = terms.count > 1 || (isExternal && terms.count == 1)
      roots[node.outputs[0]] = isOwn ? node.outputs[0] : terms.first ?? present.first
      return isOwn ? terms : nil
    }
    switch roles[call] {
    case .choice(let decision): return sum(selection[decision].map { node.inputs[$0] }, isExternal: false)
    case .gradient(let decision, let branch):
      roots[node.outputs[0]] = selection[decision].contains(branch) ? roots[node.inputs[0]] : nil
      return nil
    case .sum(let isExternal): return sum(node.inputs, isExternal: isExternal)
    case .zero, .plain:
      let read = node.inputs.compactMap { roots[$0] }
      guard read.count == node.inputs.count else { return nil }
      for output in node.outputs { roots[output] = output }
      if case .zero = roles[call] { isZero[node.outputs[0]] = true }
      return read
    }
  }

  /// The calls that something wanted depends on.
  private func needed(_ inputs: [[Int]?], _ roots: [Int?]) -> [ActiveCall] {
    var isNeeded = [Bool](repeating: false, count: graph.values.count)
    for value in wanted { if let root = roots[value] { isNeeded[root] = true } }
    var calls: [ActiveCall] = []
    for call in nodes.indices.reversed() {
      let node = graph.nodes[nodes[call]]
      guard let read = inputs[call], !node.op.updates.isEmpty || node.outputs.contains(where: { isNeeded[$0] }) else {
        continue
      }
      for value in read { isNeeded[value] = true }
      calls.append(ActiveCall(call: call, inputs: read))
    }
    return calls.reversed()
  }
}
