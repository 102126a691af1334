extension Space {
  /// A random member: decision by decision from the root, each option, number or length equally likely (or uniform in
  /// the logarithm where asked), options with many nested decisions no more than options with none. So members are
  /// equally likely only where no decision is nested in another.
  ///
  /// Throws a `recipe` fault when `validity` keeps rejecting, and whatever its test throws.
  public func random(
    using generator: inout some RandomNumberGenerator, validity: Validity? = nil
  ) throws -> Architecture {
    try accepted(by: validity, "random") { root.sample(&generator) }
  }
}

extension SpaceNode {
  func sample(_ generator: inout some RandomNumberGenerator) -> Choice {
    switch self {
    case .constant: return .fixed
    case .record(let record): return .parts(record.fields.map { $0.node.sample(&generator) })
    case .tuple(let nodes): return .parts(nodes.map { $0.sample(&generator) })
    case .list(let count, let element, _):
      return .parts((0..<Draw.int(count.range, &generator)).map { _ in element.sample(&generator) })
    case .oneOf(let options, _):
      let index = Draw.below(options.count, &generator)
      return .option(index, options[index].sample(&generator))
    case .manyOf(let k, let options, let ordered, let distinct, _):
      let indices =
        distinct
        ? Self.subset(k, of: options.count, &generator)
        : (0..<k).map { _ in Draw.below(options.count, &generator) }
      let chosen = indices.map { Choice.option($0, options[$0].sample(&generator)) }
      return .parts(ordered ? chosen : chosen.sorted { $0.precedes($1) })
    case .int(let range, _): return .int(Draw.int(range, &generator))
    case .float(let range, _): return .float(Draw.float(range, &generator))
    }
  }

  /// `k` different indices in random order: the first steps of a Fisher-Yates shuffle.
  private static func subset(_ k: Int, of count: Int, _ generator: inout some RandomNumberGenerator) -> [Int] {
    var indices = Array(0..<count)
    for slot in 0..<k { indices.swapAt(slot, slot + Draw.below(count - slot, &generator)) }
    return Array(indices.prefix(k))
  }
}
