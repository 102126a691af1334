import Canonical

/// Whether two options of one decision can give the same value. Were that allowed, a value would not tell which
/// option was chosen, and equal architectures would count as different.
extension SpaceNode {
  /// Exact for constants, records and ranges; sequences are compared element by element, so that two `manyOf` over
  /// shared options overlap when they are equally long.
  func overlaps(_ other: SpaceNode) -> Bool {
    switch (self, other) {
    case (.oneOf(let options, _), _): options.contains { $0.overlaps(other) }
    case (_, .oneOf(let options, _)): options.contains { $0.overlaps(self) }
    case (.constant(let a), .constant(let b)): a == b
    case (.constant(let value), _): other.accepts(value)
    case (_, .constant(let value)): accepts(value)
    case (.record(let a), .record(let b)):
      a.fields.count == b.fields.count
        && zip(a.fields, b.fields).allSatisfy { $0.key == $1.key && $0.node.overlaps($1.node) }
    case (.int(let a, _), .int(let b, _)): a.meets(b)
    case (.int(let a, _), .float(let b, _)), (.float(let b, _), .int(let a, _)): a.meets(b)
    case (.float(let a, _), .float(let b, _)): a.lower <= b.upper && b.lower <= a.upper
    default: sequenceOverlaps(other)
    }
  }

  private func sequenceOverlaps(_ other: SpaceNode) -> Bool {
    guard let a = sequence, let b = other.sequence, a.count.meets(b.count) else { return false }
    // Both have members of this length and every longer one that the other allows is made of the same nodes.
    let length = max(a.count.lower, b.count.lower)
    return (0..<min(length, max(a.nodes.count, b.nodes.count))).allSatisfy { index in
      a.node(at: index).overlaps(b.node(at: index))
    }
  }

  private struct Elements {
    let count: IntRange
    /// By position; the last one repeats.
    let nodes: [SpaceNode]
    func node(at index: Int) -> SpaceNode { nodes[min(index, nodes.count - 1)] }
  }

  private var sequence: Elements? {
    switch self {
    case .tuple(let nodes): Elements(count: IntRange(nodes.count, nodes.count), nodes: nodes)
    case .list(let count, let element, _): Elements(count: count.range, nodes: [element])
    case .manyOf(let k, let options, _, _, _): Elements(count: IntRange(k, k), nodes: [.oneOf(options)])
    case .constant, .record, .oneOf, .int, .float: nil
    }
  }
}

extension IntRange {
  /// Whether a number is in both.
  func meets(_ other: IntRange) -> Bool {
    let (coarse, fine) = step >= other.step ? (self, other) : (other, self)
    let low = max(lower, other.lower), high = min(upper, other.upper)
    if low > high { return false }
    var index = (low - coarse.lower + coarse.step - 1) / coarse.step
    // The remainders modulo the finer step repeat after that many members.
    for _ in 0..<fine.step {
      if index >= coarse.count || coarse.value(at: index) > high { return false }
      if fine.contains(coarse.value(at: index)) { return true }
      index += 1
    }
    return false
  }

  func meets(_ other: FloatRange) -> Bool {
    if Double(upper) < other.lower || Double(lower) > other.upper { return false }
    let index = max(0, ((other.lower - Double(lower)) / Double(step)).rounded(.up))
    return Double(lower) + index * Double(step) <= min(other.upper, Double(upper))
  }
}
