import Canonical

extension Space {
  /// The architecture whose sizes are the largest: each number and length at its upper end, each decision among numbers
  /// at the greatest, every other decision at its first option. `valid` is not asked.
  public var largest: Architecture { Architecture(space: self, choice: root.canonical(root.largest)) }
}

extension SpaceNode {
  fileprivate var largest: Choice {
    switch self {
    case .constant: return .fixed
    case .record(let record): return .parts(record.fields.map(\.node.largest))
    case .tuple(let nodes): return .parts(nodes.map(\.largest))
    case .list(let count, let element, _):
      return .parts((0..<count.range.upper).map { _ in element.largest })
    case .oneOf(let options, _):
      let best = Self.greatest(of: options)
      return .option(best, options[best].largest)
    case .manyOf(let k, let options, _, let distinct, _):
      let order = options.indices.sorted { Self.size(options[$1]) < Self.size(options[$0]) }
      return .parts(
        (0..<k).map { slot in
          let option = distinct ? order[slot] : order[0]
          return .option(option, options[option].largest)
        }.sorted { $0.precedes($1) })
    case .int(let range, _): return .int(range.upper)
    case .float(let range, _): return .float(range.upper)
    }
  }

  /// The position of the greatest number among options; the first where not all are numbers.
  private static func greatest(of options: [SpaceNode]) -> Int {
    let sizes = options.map(size)
    guard sizes.allSatisfy(\.isFinite) else { return 0 }
    return sizes.indices.max { (sizes[$0], $1) < (sizes[$1], $0) } ?? 0
  }

  private static func size(_ option: SpaceNode) -> Double {
    if case .constant(let value) = option, let number = value.double { number } else { -.infinity }
  }
}
