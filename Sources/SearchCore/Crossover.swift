extension Space {
  /// A child that takes each decision from one parent or the other, equally likely.
  ///
  /// Where the parents chose different options of a decision that holds others, the child takes the whole option from
  /// one of them; where their lists differ in length, the length is taken from one, elements that both have are
  /// crossed, and the rest come from the parent that has them. So the child is always a member of the space. It may
  /// equal a parent.
  ///
  /// Throws a `recipe` fault when a parent doesn't fit the space or `validity` keeps rejecting.
  public func crossover(
    _ first: Architecture, _ second: Architecture, using generator: inout some RandomNumberGenerator,
    validity: Validity? = nil
  ) throws -> Architecture {
    let a = try adopt(first).choice, b = try adopt(second).choice
    return try accepted(by: validity, "crossover") { root.cross(a, b, &generator) }
  }
}

extension SpaceNode {
  fileprivate func cross(_ a: Choice, _ b: Choice, _ generator: inout some RandomNumberGenerator) -> Choice {
    if a == b { return a }
    switch (self, a, b) {
    case (.record(let record), .parts(let a), .parts(let b)):
      return .parts(record.fields.indices.map { record.fields[$0].node.cross(a[$0], b[$0], &generator) })
    case (.tuple(let nodes), .parts(let a), .parts(let b)):
      return .parts(nodes.indices.map { nodes[$0].cross(a[$0], b[$0], &generator) })
    case (.list(_, let element, _), .parts(let a), .parts(let b)):
      let length = a.count == b.count || Draw.below(2, &generator) == 0 ? a.count : b.count
      let shared = min(a.count, b.count, length)
      let longer = a.count > b.count ? a : b
      return .parts((0..<shared).map { element.cross(a[$0], b[$0], &generator) } + longer[shared..<length])
    case (.oneOf(let options, _), .option(let i, let a), .option(let j, let b)) where i == j:
      return .option(i, options[i].cross(a, b, &generator))
    case (.manyOf(_, let options, let ordered, _, _), .parts(let x), .parts(let y)):
      guard let inner = Self.innerPairs(x, y) else { return Draw.below(2, &generator) == 0 ? a : b }
      let crossed = inner.map { Choice.option($0.option, options[$0.option].cross($0.a, $0.b, &generator)) }
      return .parts(ordered ? crossed : crossed.sorted { $0.precedes($1) })
    default: return Draw.below(2, &generator) == 0 ? a : b
    }
  }

  /// The nested choices slot by slot when both parents chose the same options.
  private static func innerPairs(_ x: [Choice], _ y: [Choice]) -> [(option: Int, a: Choice, b: Choice)]? {
    var pairs: [(option: Int, a: Choice, b: Choice)] = []
    for case (.option(let i, let a), .option(let j, let b)) in zip(x, y) where i == j { pairs.append((i, a, b)) }
    return pairs.count == x.count ? pairs : nil
  }
}
