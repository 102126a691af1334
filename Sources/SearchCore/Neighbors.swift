extension Space {
  /// Every architecture that differs in one decision, made one at a time: decision by decision in the space's order,
  /// each of its other values.
  ///
  /// A float's other values are those of an 11-point grid from `lower` to `upper` (even in the logarithm where the
  /// range is logarithmic). A newly chosen option, or an element that a list gained, has the first values of its
  /// nested decisions; the rest of it is reached by further steps. Throws when the architecture doesn't fit the space.
  public func neighbors(of architecture: Architecture) throws -> Neighbors {
    Neighbors(space: self, center: try adopt(architecture).choice)
  }
}

/// The neighbours of an architecture, lazily, without repetitions.
public struct Neighbors: Sequence, IteratorProtocol {
  private let space: Space
  private let center: Choice
  private var remaining: ArraySlice<[Int]>
  private var alternatives: Alternatives?
  private var index = 0

  init(space: Space, center: Choice) {
    (self.space, self.center) = (space, center)
    remaining = space.root.changeable(center)[...]
  }

  /// The next neighbour, nil after the last.
  public mutating func next() -> Architecture? {
    while let steps = remaining.first {
      var changed: Choice?
      let child = space.root.rewriting(center, at: steps[...]) { node, choice in
        let others = alternatives ?? Alternatives(of: node, choice)
        alternatives = others
        guard index < others.count else { return choice }
        let value = others.choice(at: index) { $0.first }
        changed = value
        return value
      }
      if changed != nil {
        index += 1
        return Architecture(space: space, choice: space.root.canonical(child))
      }
      (alternatives, index) = (nil, 0)
      remaining.removeFirst()
    }
    return nil
  }
}
