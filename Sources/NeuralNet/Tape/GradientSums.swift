import TensorCore

/// A part of a gradient.
enum GradientTerm {
  case tensor(Tensor)
  /// What an op that sums over the rows of its inputs would give from these.
  case rowSum(TapeOperation, [Tensor])
}

/// The gradients that have come together so far, while going through a history backwards.
struct GradientSums {
  /// The nodes between the targets and the output, the last first. Each knows its position.
  let nodes: [TapeNode]
  /// The parts of the gradients of those targets that no node of these computed.
  private var leaves: [TensorKey: [GradientTerm]]
  /// For each node's outputs, one node's after the other's, the parts of the gradient.
  private var terms: [[GradientTerm]]
  /// For each node, where its outputs begin in `terms`.
  private let firstTerms: [Int]

  init(targets: [Tensor], from output: Tensor) {
    let leaves: [TensorKey: [GradientTerm]] = Dictionary(
      targets.map { ($0.key, []) }, uniquingKeysWith: { first, _ in first })
    self.leaves = leaves
    var nodes: [TapeNode] = []
    for node in Self.history(of: output).reversed() {
      let isOn = node.inputs.contains { input in
        input.producer.map { $0.position >= 0 } ?? false || leaves[input.key] != nil
      }
      node.position = isOn ? nodes.count : -1
      if isOn { nodes.append(node) }
    }
    for (position, node) in nodes.reversed().enumerated() { node.position = position }
    nodes.reverse()
    self.nodes = nodes
    var count = 0
    firstTerms = nodes.map { node in
      defer { count += node.outputs.count }
      return count
    }
    terms = [[GradientTerm]](repeating: [], count: count)
  }

  /// The position of the node that a tensor comes from, if that is one of these.
  private func position(of tensor: Tensor) -> Int? {
    guard let producer = tensor.producer, nodes.indices.contains(producer.position),
      nodes[producer.position] === producer
    else { return nil }
    return producer.position
  }

  /// Whether the gradient by a tensor is one of the targets', or leads to one.
  func isWanted(_ tensor: Tensor) -> Bool { position(of: tensor) != nil || leaves[tensor.key] != nil }

  /// Adds a part of the gradient by a tensor.
  mutating func add(_ term: GradientTerm, to tensor: Tensor) {
    if let position = position(of: tensor) {
      terms[firstTerms[position] + tensor.output].append(term)
    } else {
      leaves[tensor.key]?.append(term)
    }
  }

  /// The gradient of a node's output; nil where nothing came to it.
  mutating func total(of position: Int, _ output: Int, on tape: Tape) throws -> Tensor? {
    let index = firstTerms[position] + output
    if terms[index].count == 1, case .tensor(let only) = terms[index][0] { return only }
    guard let sum = try Self.sum(terms[index], on: tape) else { return nil }
    terms[index] = [.tensor(sum)]
    return sum
  }

  /// The gradient of a target.
  mutating func total(of target: Tensor, on tape: Tape) throws -> Tensor? {
    if let position = position(of: target) { return try total(of: position, target.output, on: tape) }
    guard let sum = try Self.sum(leaves[target.key] ?? [], on: tape) else { return nil }
    leaves[target.key] = [.tensor(sum)]
    return sum
  }

  /// The sum in the order of the parts. Sums over rows by one op come together: they are one sum over all rows.
  private static func sum(_ terms: [GradientTerm], on tape: Tape) throws -> Tensor? {
    var tensors: [Tensor] = [], rows: [(operation: TapeOperation, inputs: [[Tensor]])] = []
    for term in terms {
      switch term {
      case .tensor(let tensor): tensors.append(tensor)
      case .rowSum(let operation, let inputs):
        if let index = rows.firstIndex(where: { $0.operation === operation }) {
          rows[index].inputs.append(inputs)
        } else {
          rows.append((operation, [inputs]))
        }
      }
    }
    for (operation, inputs) in rows {
      let stacked =
        try inputs.count == 1
        ? inputs[0] : operation.inputs.indices.map { index in try Tensor(stacking: inputs.map { $0[index] }) }
      tensors += try tape.compute(operation.op, stacked, operation.attributes)
    }
    return tensors.count > 1 ? try tape.compute(.add, tensors, Attributes())[0] : tensors.first
  }

  /// Every node that a tensor depends on, the last first. Their positions are -1 afterwards.
  static func history(of output: Tensor) -> [TapeNode] {
    var nodes: [TapeNode] = []
    var open = output.producer.map { [$0] } ?? []
    // A node's position tells whether it was seen: -2 until the end.
    while let node = open.popLast() {
      guard node.position != -2 else { continue }
      node.position = -2
      nodes.append(node)
      for input in node.inputs { if let producer = input.producer, producer.position != -2 { open.append(producer) } }
    }
    for node in nodes { node.position = -1 }
    return nodes.sorted { $0.order > $1.order }
  }

  /// The leaves with a gradient that a tensor depends on, in the order of their first use.
  static func leaves(of output: Tensor) -> [Tensor] {
    if output.isLeaf { return [output] }
    var seen = Set<ObjectIdentifier>(), leaves: [Tensor] = []
    for node in history(of: output).reversed() {
      for input in node.inputs where input.isLeaf && input.requiresGradient {
        if seen.insert(ObjectIdentifier(input)).inserted { leaves.append(input) }
      }
    }
    return leaves
  }
}

extension Tensor {
  /// The rows of the first dimension of tensors of one type, one after the other.
  fileprivate convenience init(stacking parts: [Tensor]) throws {
    let shape = parts[0].type.shape, rows = parts.reduce(0) { $0 + $1.shape[0] }
    let whole = shape.hasBatch ? shape : .array([rows] + shape.dimensions.dropFirst())
    let storage = try Storage(ValueType(whole, parts[0].type.element), batch: rows)
    var place = storage.buffer.pointer
    for part in parts {
      let count = part.type.storageElements(batch: part.batch)
      place.update(from: part.storage.buffer.pointer, count: count)
      place += count
    }
    self.init(storage)
  }
}
