/// The other values of one decision, by position: what neighbours are made of and most mutations draw from.
///
/// Nested decisions of a newly chosen option are filled in by the caller: the first values for a neighbour, random ones
/// for a mutation.
struct Alternatives {
  /// The number of points of the grid that stands for a float: `lower`, `upper` and nine between.
  static let floatGridPoints = 11

  let count: Int
  private let make: (Int, (SpaceNode) -> Choice) -> Choice

  func choice(at index: Int, fill: (SpaceNode) -> Choice) -> Choice { make(index, fill) }

  /// None for a node that isn't a decision.
  init(of node: SpaceNode, _ choice: Choice) {
    switch (node, choice) {
    case (.oneOf(let options, _), .option(let current, _)):
      self.init(options.count - 1) { index, fill in
        let other = index < current ? index : index + 1
        return .option(other, fill(options[other]))
      }
    case (.int(let range, _), .int(let current)):
      let position = (current - range.lower) / range.step
      self.init(range.count - 1) { index, _ in .int(range.value(at: index < position ? index : index + 1)) }
    case (.float(let range, _), .float(let current)):
      let last = Double(Self.floatGridPoints - 1)
      var grid: [Double] = []
      for point in 0..<Self.floatGridPoints {
        let value = range.value(at: Double(point) / last)
        if value != current && value != grid.last { grid.append(value) }
      }
      self.init(grid.count) { [grid] index, _ in .float(grid[index]) }
    case (.list(.between(let range), let element, _), .parts(let parts)):
      let position = (parts.count - range.lower) / range.step
      self.init(range.count - 1) { index, fill in
        let length = range.value(at: index < position ? index : index + 1)
        let added = max(0, length - parts.count)
        return .parts(parts.prefix(length) + (0..<added).map { _ in fill(element) })
      }
    case (.manyOf(_, let options, let ordered, let distinct, _), .parts(let parts)):
      let moves = Self.moves(parts, options.count, ordered: ordered, distinct: distinct)
      self.init(moves.count) { index, fill in
        let moved = moves[index].apply(parts) { .option($0, fill(options[$0])) }
        return .parts(ordered ? moved : moved.sorted { $0.precedes($1) })
      }
    default: self.init(0) { _, _ in Choice.misfit() }
    }
  }

  private init(_ count: Int, _ make: @escaping (Int, (SpaceNode) -> Choice) -> Choice) {
    self.count = count
    self.make = make
  }

  /// One step within a `manyOf`: another option in one slot or, where the options are distinct and their order
  /// matters, two slots exchanged.
  private enum Move {
    case replace(slot: Int, option: Int)
    case exchange(Int, Int)

    func apply(_ parts: [Choice], option make: (Int) -> Choice) -> [Choice] {
      var parts = parts
      switch self {
      case .replace(let slot, let option): parts[slot] = make(option)
      case .exchange(let a, let b): parts.swapAt(a, b)
      }
      return parts
    }
  }

  private static func moves(_ parts: [Choice], _ count: Int, ordered: Bool, distinct: Bool) -> [Move] {
    let chosen = parts.map { part in
      guard case .option(let index, _) = part else { Choice.misfit() }
      return index
    }
    var moves: [Move] = []
    for slot in parts.indices where ordered || distinct || slot == 0 || parts[slot] != parts[slot - 1] {
      for option in 0..<count where distinct ? !chosen.contains(option) : chosen[slot] != option {
        moves.append(.replace(slot: slot, option: option))
      }
    }
    if ordered && distinct {
      for a in parts.indices { for b in parts.indices where a < b { moves.append(.exchange(a, b)) } }
    }
    return moves
  }
}

extension SpaceNode {
  /// Whether this decision has another value than the one chosen; false for what isn't a decision.
  func canChange(_ choice: Choice) -> Bool {
    switch (self, choice) {
    case (.oneOf(let options, _), _): options.count > 1
    case (.int(let range, _), _): range.count > 1
    case (.float(let range, _), _): range.lower < range.upper
    case (.list(.between(let range), _, _), _): range.count > 1
    case (.manyOf, _): Alternatives(of: self, choice).count > 0
    case (.constant, _), (.record, _), (.tuple, _), (.list, _): false
    }
  }

  /// The steps to every active decision that can change, in the space's order. Among equal elements of an unordered
  /// choice only the first counts, since changing either gives the same architecture.
  func changeable(_ choice: Choice) -> [[Int]] {
    var found: [[Int]] = []
    collectChangeable(choice, [], &found)
    return found
  }

  private func collectChangeable(_ choice: Choice, _ steps: [Int], _ found: inout [[Int]]) {
    if canChange(choice) { found.append(steps) }
    guard holdsNestedDecisions else { return }
    let isMultiset = if case .manyOf(_, _, false, false, _) = self { true } else { false }
    var previous: Child?
    for child in children(of: choice) {
      if isMultiset, let previous, previous.node == child.node, previous.choice == child.choice { continue }
      child.node.collectChangeable(child.choice, steps + [child.step], &found)
      previous = child
    }
  }

  private var holdsNestedDecisions: Bool {
    switch self {
    case .constant, .int, .float: false
    case .record, .tuple, .list: true
    case .oneOf(let options, _), .manyOf(_, let options, _, _, _): options.contains { $0.holdsDecisions }
    }
  }
}
