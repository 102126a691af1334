/// Which nodes a plan runs, in which order, and where in the arena each value lies.
struct PlanSchedule {
  /// The nodes in the order in which they run.
  let nodes: [Int]
  /// For each value in the arena, its offset in floats.
  private(set) var offsets: [Int: Int] = [:]
  /// The floats of the arena without scratch memory.
  private(set) var floats = 0
  /// For each value, whether a node that runs, or somebody outside, reads it.
  private(set) var isRead: [Bool]
  /// Values that can be another value's buffer on some path: nothing may be written over them.
  private let mayAlias: Set<Int>
  /// On which paths through choices each value is computed; nil for a graph without choices.
  private let paths: PathConditions?

  /// Schedules the nodes that `kept` values depend on, and those that update statistics. Inputs are kept too, so that a
  /// run can be repeated. Values in `external` and parameters have their place elsewhere.
  init(_ graph: Graph, batch: Int, kept: [Int], external: Set<Int>, sharesMemory: Bool) {
    let updates = graph.nodes.filter { !$0.op.updates.isEmpty }.flatMap(\.inputs)
    let needed = Set(graph.nodes(reaching: kept + external + updates))
    let nodes = graph.nodes.indices.filter { needed.contains($0) || !graph.nodes[$0].op.updates.isEmpty }
    self.nodes = nodes
    isRead = [Bool](repeating: false, count: graph.values.count)
    var lastUse = [Int](repeating: -1, count: graph.values.count)
    for (step, index) in nodes.enumerated() {
      for value in graph.nodes[index].inputs {
        lastUse[value] = step
        isRead[value] = true
      }
    }
    for value in graph.inputs.map(\.value) + kept + external {
      lastUse[value] = nodes.count
      isRead[value] = true
    }
    let hasChoices = PathResolver.isNeeded(for: graph), aliases = hasChoices ? Self.aliases(graph, nodes) : []
    for (output, input) in aliases.reversed() { lastUse[input] = max(lastUse[input], lastUse[output]) }
    mayAlias = Set(aliases.map(\.output))
    paths =
      hasChoices && sharesMemory ? PathConditions(graph, nodes: nodes, kept: external.union(kept + updates)) : nil
    if !sharesMemory { lastUse = lastUse.map { _ in nodes.count } }
    place(graph, batch: batch, lastUse: lastUse, external: external)
  }

  private mutating func place(_ graph: Graph, batch: Int, lastUse: [Int], external: Set<Int>) {
    var buffers: [Placement.Buffer] = []
    var bufferOf: [Int: Int] = [:]
    func add(_ value: Int, at step: Int) {
      bufferOf[value] = buffers.count
      buffers.append(
        Placement.Buffer(
          floats: graph.values[value].storageElements(batch: batch), first: step, last: max(step, lastUse[value]),
          condition: paths?.conditions[value] ?? [:]))
    }
    for port in graph.inputs { add(port.value, at: -1) }
    for (step, index) in nodes.enumerated() {
      let node = graph.nodes[index]
      let isAlwaysAnother =
        node.op.name == Op.chosenGradient.name
        || (node.op.name == Op.choice.name && node.attributes.integer("picks") == 1)
      if isAlwaysAnother { continue }
      for (position, output) in node.outputs.enumerated() where !external.contains(output) {
        let reused =
          position == 0
          ? overwritable(node, in: graph).first { input in
            lastUse[input] == step && graph.values[input] == graph.values[output] && bufferOf[input] != nil
              && !mayAlias.contains(input)
          } : nil
        if let reused, let buffer = bufferOf[reused] {
          bufferOf[output] = buffer
          buffers[buffer].last = max(step, lastUse[output])
          if let paths { buffers[buffer].condition = paths.common(buffers[buffer].condition, output) }
        } else {
          add(output, at: step)
        }
      }
    }
    let placement = Placement(buffers)
    floats = placement.floats
    offsets = bufferOf.mapValues { placement.offsets[$0] }
  }

  /// In a graph with choices, the outputs that are one of their inputs on some path, in the order in which they run.
  private static func aliases(_ graph: Graph, _ nodes: [Int]) -> [(output: Int, input: Int)] {
    let ops = [Op.choice.name, Op.chosenGradient.name, Op.add.name]
    return nodes.map { graph.nodes[$0] }.filter { ops.contains($0.op.name) }.flatMap { node in
      node.inputs.map { (node.outputs[0], $0) }
    }
  }

  /// The inputs whose buffer a node's first output may take.
  private func overwritable(_ node: Graph.Node, in graph: Graph) -> [Int] {
    switch node.op.inPlace {
    case .never: []
    case .anyInput: node.inputs
    case .inputs(let positions): positions.map { node.inputs[$0] }
    }
  }
}
