import Canonical

/// On which paths each value of a graph with choices is computed at all.
///
/// Values that no path computes both of can share memory, so a supernet's plan takes little more than its largest path.
struct PathConditions {
  /// Branches, by the number of their decision, that must be taken.
  typealias Condition = [Int: Int]

  /// For each value, the branches without which it isn't computed; decisions that take several branches are left out.
  private(set) var conditions: [Condition]

  /// Finds the conditions from the order in which nodes run.
  ///
  /// - Parameters:
  ///   - nodes: the nodes that run, in their order.
  ///   - kept: values that somebody outside reads, on every path that has them.
  init(_ graph: Graph, nodes: [Int], kept: Set<Int>) {
    var numbers: [String: Int] = [:]
    let branches = nodes.map { Self.branches(of: graph.nodes[$0], &numbers) }
    conditions = [Condition](repeating: [:], count: graph.values.count)
    addPresence(graph, nodes, branches)
    addNeed(graph, nodes, branches, kept)
  }

  /// The condition that is left of one when a value comes to share its buffer.
  func common(_ condition: Condition, _ value: Int) -> Condition { Self.common(condition, conditions[value]) }

  /// Whether no path computes both values.
  static func exclude(_ a: Condition, _ b: Condition) -> Bool {
    a.contains { decision, branch in b[decision].map { $0 != branch } ?? false }
  }

  /// What a node makes depend on a decision.
  private struct Branches {
    let decision: Int
    /// For a gradient of a branch, the branch; nil for the choice itself.
    let branch: Int?
  }

  private static func branches(of node: Graph.Node, _ numbers: inout [String: Int]) -> Branches? {
    guard [Op.choice.name, Op.chosenGradient.name].contains(node.op.name), node.attributes.integer("picks") == 1
    else { return nil }
    let name = node.attributes["decision"]?.string ?? "", decision = numbers[name] ?? numbers.count
    numbers[name] = decision
    let isGradient = node.op.name == Op.chosenGradient.name
    return Branches(decision: decision, branch: isGradient ? node.attributes.integer("branch") : nil)
  }

  /// A value is absent where its inputs are: a sum where all are, a choice where the chosen one is.
  private mutating func addPresence(_ graph: Graph, _ nodes: [Int], _ branches: [Branches?]) {
    for (index, branches) in zip(nodes, branches) {
      let node = graph.nodes[index]
      var present: Condition = [:]
      if [Op.add.name, Op.choice.name].contains(node.op.name) {
        for (position, input) in node.inputs.enumerated() {
          var condition = conditions[input]
          if let branches { condition[branches.decision] = position }
          present = position == 0 ? condition : Self.common(present, condition)
        }
      } else {
        for input in node.inputs { present.merge(conditions[input]) { first, _ in first } }
        if let branches, let branch = branches.branch { present[branches.decision] = branch }
      }
      for output in node.outputs { conditions[output] = present }
    }
  }

  /// A value isn't computed where nothing that is computed reads it.
  private mutating func addNeed(_ graph: Graph, _ nodes: [Int], _ branches: [Branches?], _ kept: Set<Int>) {
    var needs = [Condition?](repeating: nil, count: graph.values.count)
    for value in kept { needs[value] = [:] }
    for (index, branches) in zip(nodes, branches).reversed() {
      let node = graph.nodes[index]
      let ofOutputs = node.op.updates.isEmpty ? node.outputs.compactMap { needs[$0] } : [[:]]
      guard var need = ofOutputs.first else { continue }
      for other in ofOutputs.dropFirst() { need = Self.common(need, other) }
      if let present = node.outputs.first.map({ conditions[$0] }) { need.merge(present) { first, _ in first } }
      for (position, input) in node.inputs.enumerated() {
        var condition = need
        if let branches { condition[branches.decision] = branches.branch ?? position }
        needs[input] = needs[input].map { Self.common($0, condition) } ?? condition
      }
    }
    for (value, need) in needs.enumerated() {
      if let need { conditions[value].merge(need) { first, _ in first } }
    }
  }

  private static func common(_ a: Condition, _ b: Condition) -> Condition {
    a.filter { decision, branch in b[decision] == branch }
  }
}
