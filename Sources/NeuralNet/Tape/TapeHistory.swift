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
  /// first slot.
  private(set) var nodes: [Node] = []
  private(set) var slotCount = 0
  /// Which choice of targets the slots are for: nodes have those of another until it is theirs.
  private(set) var number = 0
  private var targets: [Tensor] = []
  private var idlePass: GradientPass?

  /// The gradients of `output`, whose history this is, by the chosen targets, from that of `output` itself; without a
  /// history of their own.
  func gradients(of output: Tensor, _ seed: Tensor, on tape: Tape) throws -> [Tensor?] {
    var pass = idlePass ?? GradientPass(tape.memory)
    idlePass = nil
    defer { idlePass = pass }
    return try pass.run(self, output, seed: seed, targets: targets, on: tape)
  }

  /// Chooses the nodes of the history that lead to targets. Leaves among them have their slots until `close`.
  func select(_ targets: [Tensor]) {
    self.targets = targets
    let targetNodes = Set(targets.compactMap { $0.producer.map { ObjectIdentifier($0) } })
    for target in targets where target.isLeaf { target.place = 0 }
    for reference in walked.reversed() {
      reference._withUnsafeGuaranteedRef { node in
        let isOn = leadsOn(node) || !targetNodes.isEmpty && targetNodes.contains(ObjectIdentifier(node))
        node.mark = isOn ? 0 : -1
        if isOn { nodes.append(reference) }
      }
    }
    nodes.reverse()
    number = TapeNode.now()
    for node in nodes {
      slotCount += node._withUnsafeGuaranteedRef { node in
        (node.history, node.firstSlot) = (number, slotCount)
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
        if producer.mark >= 0 { leadsOn = true }
      } else if input.place >= 0 {
        leadsOn = true
      }
    }
    return leadsOn
  }

  /// The slot of the gradient by a tensor of the history, or by a target; -1 where it is neither asked for nor leads on.
  func slot(of tensor: Tensor) -> Int { Self.slot(of: tensor, in: number) }

  /// The same in the history of a number.
  static func slot(of tensor: Tensor, in number: Int) -> Int {
    guard let producer = tensor.producer else { return tensor.place }
    return producer.history == number ? producer.firstSlot + tensor.output : -1
  }

  /// Takes the leaves' slots back and lets go of the history.
  func close() {
    for target in targets { target.place = -1 }
    targets = []
    walked.removeAll(keepingCapacity: true)
    found.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    nodes.removeAll(keepingCapacity: true)
    slotCount = 0
  }

  /// Goes to every node that a tensor depends on.
  func walk(from output: Tensor) {
    guard let last = output.producer else { return }
    var next = 0, earliest = last.time
    last.mark = -2
    found.append(Node.passUnretained(last))
    while next < found.count {
      found[next]._withUnsafeGuaranteedRef { node in
        node.forEachInput { input in
          guard let producer = input.producer, producer.mark != -2 else { return }
          producer.mark = -2
          earliest = min(earliest, producer.time)
          found.append(Node.passUnretained(producer))
        }
      }
      next += 1
    }
    for node in found { node._withUnsafeGuaranteedRef { $0.mark = -1 } }
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
