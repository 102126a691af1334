/// The part of a tensor's history that leads to some targets, for going through it backwards: a slot for the gradient by
/// each output of its nodes, and by each leaf that is a target.
struct TapeHistory {
  /// The nodes between the targets and the output, the last first, and those that targets come from. Each knows its
  /// position.
  let nodes: [TapeNode]
  /// For each node, the slot of its first output.
  let firstSlots: [Int]
  let slotCount: Int

  /// - Parameters:
  ///   - walked: the whole history of the output, as `walk` gives it.
  ///   - targets: what gradients are wanted by. Leaves among them have their slots until `close`.
  init(_ walked: [TapeNode], targets: [Tensor]) {
    let targetNodes = Set(targets.compactMap { $0.producer.map { ObjectIdentifier($0) } })
    for target in targets where target.isLeaf { target.place = 0 }
    var nodes: [TapeNode] = []
    nodes.reserveCapacity(walked.count)
    for node in walked.reversed() {
      let isOn =
        node.inputs.contains { input in input.producer.map { $0.position >= 0 } ?? (input.place >= 0) }
        || !targetNodes.isEmpty && targetNodes.contains(ObjectIdentifier(node))
      node.position = isOn ? 0 : -1
      if isOn { nodes.append(node) }
    }
    nodes.reverse()
    var slots = 0, firstSlots: [Int] = []
    firstSlots.reserveCapacity(nodes.count)
    for (position, node) in nodes.enumerated() {
      node.position = position
      firstSlots.append(slots)
      slots += node.outputCount
    }
    for target in targets where target.isLeaf {
      target.place = slots
      slots += 1
    }
    (self.nodes, self.firstSlots, slotCount) = (nodes, firstSlots, slots)
  }

  /// The slot of the gradient by a tensor of the history, or by a target; -1 where it is neither asked for nor leads on.
  func slot(of tensor: Tensor) -> Int {
    guard let producer = tensor.producer else { return tensor.place }
    let position = producer.position
    guard position >= 0, position < nodes.count, nodes[position] === producer else { return -1 }
    return firstSlots[position] + tensor.output
  }

  /// Takes the leaves' slots back.
  func close(_ targets: [Tensor]) { for target in targets { target.place = -1 } }

  /// Every node that a tensor depends on, the last first. Their positions are -1 afterwards.
  static func walk(from output: Tensor) -> [TapeNode] {
    guard let last = output.producer else { return [] }
    var nodes: [TapeNode] = [last], next = 0, earliest = last.time
    // A node's position tells whether it was seen: -2 until the end.
    last.position = -2
    while next < nodes.count {
      for input in nodes[next].inputs {
        guard let producer = input.producer, producer.position != -2 else { continue }
        producer.position = -2
        earliest = min(earliest, producer.time)
        nodes.append(producer)
      }
      next += 1
    }
    for node in nodes { node.position = -1 }
    return inOrder(nodes, times: earliest...last.time)
  }

  /// The nodes, the last first: by their places in time where these lie close, which those of one computation do.
  private static func inOrder(_ nodes: [TapeNode], times: ClosedRange<Int>) -> [TapeNode] {
    guard times.count <= 8 * nodes.count else { return nodes.sorted { $0.time > $1.time } }
    var places = [Int32](repeating: -1, count: times.count)
    for (index, node) in nodes.enumerated() { places[times.upperBound - node.time] = Int32(index) }
    return places.compactMap { $0 >= 0 ? nodes[Int($0)] : nil }
  }

  /// The leaves with a gradient among the inputs of nodes, the last first, in the order of their first use.
  static func leaves(of walked: [TapeNode]) -> [Tensor] {
    var leaves: [Tensor] = []
    for node in walked.reversed() {
      for input in node.inputs where input.isLeaf && input.requiresGradient && input.place < 0 {
        input.place = 0
        leaves.append(input)
      }
    }
    for leaf in leaves { leaf.place = -1 }
    return leaves
  }
}
