import Diagnostics

extension Space {
  /// A copy with `k` (default 1) active decisions changed, each to a different value; which ones is up to the space's
  /// `MutationPolicy`.
  ///
  /// The new value of a `oneOf`, an integer range or a length is uniform among the others; of a `manyOf`, among the
  /// single exchanges; a float and a logarithmic range are drawn again until the value differs. The decisions inside
  /// a newly chosen option, and of elements that a list gained, are sampled. Where fewer than `k` decisions can be
  /// changed independently (none inside another), that many are.
  ///
  /// Throws a `recipe` fault when `k` is below 1, when no decision can change, or when `validity` keeps rejecting.
  public func mutate(
    _ parent: Architecture, changes k: Int = 1, using generator: inout some RandomNumberGenerator,
    validity: Validity? = nil
  ) throws -> Architecture {
    let parent = try adopt(parent).choice
    let candidates = root.changeable(parent)
    if k < 1 { throw Fault(.recipe, "bad number of changes", expected: "at least 1", got: String(k)) }
    if candidates.isEmpty {
      throw Fault(
        .recipe, "no decision of the architecture can change", path: "space",
        expected: "a decision with two options or more")
    }
    return try accepted(by: validity, "mutate") {
      var child = parent
      // None of those drawn is inside another, so no change can remove the place of the next.
      for steps in draw(k, of: candidates, &generator) {
        child = root.rewriting(child, at: steps[...]) { $0.changed($1, &generator) }
      }
      return root.canonical(child)
    }
  }

  private func draw(_ k: Int, of candidates: [[Int]], _ generator: inout some RandomNumberGenerator) -> [[Int]] {
    var candidates = candidates
    var drawn: [[Int]] = []
    while drawn.count < k && !candidates.isEmpty {
      let steps =
        switch mutation {
        case .uniformDecision: candidates[Draw.below(candidates.count, &generator)]
        case .branch: Self.walk(candidates, &generator)
        }
      drawn.append(steps)
      candidates.removeAll { $0.starts(with: steps) || steps.starts(with: $0) }
    }
    return drawn
  }

  /// Level by level, one of the parts that hold a candidate, all equally likely.
  private static func walk(_ candidates: [[Int]], _ generator: inout some RandomNumberGenerator) -> [Int] {
    var inside = candidates[...]
    for depth in 0... {
      // Candidates are in the space's order: those that share their first steps are neighbours.
      var parts: [Range<Int>] = []
      for index in inside.indices {
        if let last = parts.last, inside[last.lowerBound].dropFirst(depth).first == inside[index].dropFirst(depth).first
        {
          parts[parts.count - 1] = last.lowerBound..<(index + 1)
        } else {
          parts.append(index..<(index + 1))
        }
      }
      inside = inside[parts[Draw.below(parts.count, &generator)]]
      if inside.count == 1 { break }
    }
    return inside[inside.startIndex]
  }
}

extension SpaceNode {
  /// Another value of this decision, which must have one.
  fileprivate func changed(_ choice: Choice, _ generator: inout some RandomNumberGenerator) -> Choice {
    switch (self, choice) {
    case (.float(let range, _), .float(let current)):
      return .float(Self.redrawn(current, otherwise: [range.lower, range.upper]) { Draw.float(range, &generator) })
    case (.int(let range, _), .int(let current)) where range.log:
      return .int(Self.redrawn(current, otherwise: [range.lower, range.upper]) { Draw.int(range, &generator) })
    default:
      let others = Alternatives(of: self, choice)
      return others.choice(at: Draw.below(others.count, &generator)) { $0.sample(&generator) }
    }
  }

  /// Draws until the value differs; in a range so narrow that 100 draws round to the same value, one of its ends.
  private static func redrawn<Value: Equatable>(
    _ current: Value, otherwise ends: [Value], _ draw: () -> Value
  ) -> Value {
    for _ in 0..<100 {
      let value = draw()
      if value != current { return value }
    }
    return ends.first { $0 != current } ?? current
  }
}
