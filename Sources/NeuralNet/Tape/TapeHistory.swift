/// The part of a tensor's history that leads to some targets, for going through it backwards: a slot for the gradient by
/// each output of its nodes, and by each leaf that is a target.
///
/// It can be used again; its arrays are then there already. The output that it was walked from has to live as long as
/// the history is in use: nodes are held without reference counts.
final class TapeHistory {
  typealias Node = Unmanaged<TapeNode>

  /// Every node that the output depends on, the last first.
  private var walked: [Node] = []
  private var found: [Node] = []
  private var places: [Int32] = []
  /// The nodes between the targets and the output, the last first, and those that targets come from. Each knows its
  /// position.
  private(set) var nodes: [Node] = []
  /// For each node, the slot of its first output.
  private(set) var firstSlots: [Int] = []
  private(set) var slotCount = 0
  private var targets: [Tensor] = []
  private var idlePass: GradientPass?

  /// The gradients of `output`, whose history this is, by the chosen targets, from that of `output` itself; without a
  /// history of their own.
  func gradients(of output: Tensor, _ seed: Tensor, on tape: Tape) throws -> [Tensor?] {
    var pass = idlePass ?? GradientPass(self, on: tape)
    idlePass = nil
    defer { idlePass = pass }
    return try pass.run(output, seed: seed, targets: targets)
  }

  /// Chooses the nodes of the history that lead to targets. Leaves among them have their slots until `close`.
  func select(_ targets: [Tensor]) {
    self.targets = targets
    let targetNodes = Set(targets.compactMap { $0.producer.map { ObjectIdentifier($0) } })
    for target in targets where target.isLeaf { target.place = 0 }
    for reference in walked.reversed() {
      reference._withUnsafeGuaranteedRef { node in
        let isOn = leadsOn(node) || !targetNodes.isEmpty && targetNodes.contains(ObjectIdentifier(node))
        node.position = isOn ? 0 : -1
        if isOn { nodes.append(reference) }
      }
    }
    nodes.reverse()
    for position in nodes.indices {
      firstSlots.append(slotCount)
      slotCount += nodes[position]._withUnsafeGuaranteedRef { node in
        node.position = position
        return node.outputCount
      }
    }
    for target in targets where target.isLeaf {
      target.place = slotCount
      slotCount += 1
    }
  }

  /// Whether an input of a node is a target or comes from a node that leads to one.
  private func leadsOn(_ node: TapeNode) -> Bool {
    var leadsOn = false
    node.forEachInput { input in
      if let producer = input.producer {
        if producer.position >= 0 { leadsOn = true }
      } else if input.place >= 0 {
        leadsOn = true
      }
    }
    return leadsOn
  }

  /// The slot of the gradient by a tensor of the history, or by a target; -1 where it is neither asked for nor leads on.
  func slot(of tensor: Tensor) -> Int {
    guard let producer = tensor.producer else { return tensor.place }
    let position = producer.position
    guard position >= 0, position < nodes.count,
      nodes[position].toOpaque() == Unmanaged.passUnretained(producer).toOpaque()
    else { return -1 }
    return firstSlots[position] + tensor.output
  }

  /// Takes the leaves' slots back and lets go of the history.
  func close() {
    for target in targets { target.place = -1 }
    targets = []
    walked.removeAll(keepingCapacity: true)
    found.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    nodes.removeAll(keepingCapacity: true)
    firstSlots.removeAll(keepingCapacity: true)
    slotCount = 0
  }

  /// Goes to every node that a tensor depends on.
  func walk(from output: Tensor) {
    guard let last = output.producer else { return }
    var next = 0, earliest = last.time
    // A node's position tells whether it was seen: -2 until the end.
    last.position = -2
    found.append(Node.passUnretained(last))
    while next < found.count {
      found[next]._withUnsafeGuaranteedRef { node in
        node.forEachInput { input in
          guard let producer = input.producer, producer.position != -2 else { return }
          producer.position = -2
          earliest = min(earliest, producer.time)
          found.append(Node.passUnretained(producer))
        }
      }
      next += 1
    }
    for node in found { node._withUnsafeGuaranteedRef { $0.position = -1 } }
    order(times: earliest...last.time)
  }

  /// Puts the nodes in order: by their places in time where these lie close, which those of one computation do.
  private func order(times: ClosedRange<Int>) {
    func time(_ node: Node) -> Int { node._withUnsafeGuaranteedRef(\.time) }
    guard times.count <= 8 * found.count else {
      walked.append(contentsOf: found.sorted { time($0) > time($1) })
      return
    }
    places.append(contentsOf: repeatElement(-1, count: times.count))
    for index in found.indices { places[times.upperBound - time(found[index])] = Int32(index) }
    for place in places where place >= 0 { walked.append(found[Int(place)]) }
  }

  /// The leaves with a gradient that the history begins with, in the order of their first use.
  func leaves() -> [Tensor] {
    var leaves: [Tensor] = []
    for node in walked.reversed() {
      node._withUnsafeGuaranteedRef { node in
        node.forEachInput { input in
          guard input.isLeaf, input.requiresGradient, input.place < 0 else { return }
          input.place = 0
          leaves.append(input)
        }
      }
    }
    for leaf in leaves { leaf.place = -1 }
    return leaves
  }
}
