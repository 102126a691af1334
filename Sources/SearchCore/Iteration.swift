import Diagnostics

extension Space {
  /// Every member once, made one at a time, in the space's order: the last decision changes fastest, an option's
  /// nested decisions before the next option, shorter lists before longer ones.
  ///
  /// Throws a `recipe` fault that names a float, which has no next value.
  public func iterate() throws -> Members {
    if let path = root.firstFloat(at: Place()) {
      throw Fault(
        .recipe, "a space with a float can't be listed", path: Place.fault(path),
        hint: "Narrow it to some values with fix.")
    }
    return Members(space: self)
  }
}

/// The members of a space, lazily.
public struct Members: Sequence, IteratorProtocol {
  let space: Space
  private var started = false
  private var current: Choice?

  init(space: Space) { self.space = space }

  /// The next member, nil after the last.
  public mutating func next() -> Architecture? {
    current = started ? current.flatMap { space.root.successor(of: $0) } : space.root.first
    started = true
    return current.map { Architecture(space: space, choice: $0) }
  }
}

extension SpaceNode {
  fileprivate func firstFloat(at place: Place) -> String? {
    switch self {
    case .constant, .int: nil
    case .float: place.path
    case .record(let record): record.fields.lazy.compactMap { $0.node.firstFloat(at: place.key($0.key)) }.first
    case .tuple(let nodes):
      nodes.indices.lazy.compactMap { nodes[$0].firstFloat(at: place.index($0)) }.first
    case .list(let count, let element, _):
      count.range.upper == 0 ? nil : element.firstFloat(at: place.index(0))
    case .oneOf(let options, _): options.lazy.compactMap { $0.firstFloat(at: place) }.first
    case .manyOf(_, let options, _, _, _):
      options.lazy.compactMap { $0.firstFloat(at: place.index(0)) }.first
    }
  }

  /// The first member in iteration order: first options, lower bounds.
  var first: Choice {
    switch self {
    case .constant: .fixed
    case .record(let record): .parts(record.fields.map(\.node.first))
    case .tuple(let nodes): .parts(nodes.map(\.first))
    case .list(let count, let element, _): .parts(Array(repeating: element.first, count: count.range.lower))
    case .oneOf(let options, _): .option(0, options[0].first)
    case .manyOf(let k, let options, _, let distinct, _):
      .parts((0..<k).map { .option(distinct ? $0 : 0, options[distinct ? $0 : 0].first) })
    case .int(let range, _): .int(range.lower)
    case .float(let range, _): .float(range.lower)
    }
  }

  /// The next member in iteration order, nil after the last.
  fileprivate func successor(of choice: Choice) -> Choice? {
    switch (self, choice) {
    case (.constant, _), (.float, _): return nil
    case (.record(let record), .parts(let parts)):
      return Self.advance(parts) { record.fields[$0].node }.map { .parts($0) }
    case (.tuple(let nodes), .parts(let parts)): return Self.advance(parts) { nodes[$0] }.map { .parts($0) }
    case (.list(let count, let element, _), .parts(let parts)):
      if let next = Self.advance(parts, node: { _ in element }) { return .parts(next) }
      let length = parts.count + count.range.step
      return length <= count.range.upper ? .parts(Array(repeating: element.first, count: length)) : nil
    case (.oneOf(let options, _), .option(let index, let inner)):
      if let next = options[index].successor(of: inner) { return .option(index, next) }
      return index + 1 < options.count ? .option(index + 1, options[index + 1].first) : nil
    case (.manyOf(_, let options, let ordered, let distinct, _), .parts(let parts)):
      return Selection(options: options, ordered: ordered, distinct: distinct).successor(of: parts)
    case (.int(let range, _), .int(let value)):
      return value < range.upper ? .int(value + range.step) : nil
    default: Choice.misfit()
    }
  }

  /// An odometer whose last wheel turns fastest.
  private static func advance(_ parts: [Choice], node: (Int) -> SpaceNode) -> [Choice]? {
    for index in parts.indices.reversed() {
      guard let next = node(index).successor(of: parts[index]) else { continue }
      var parts = parts
      parts[index] = next
      for after in (index + 1)..<parts.count { parts[after] = node(after).first }
      return parts
    }
    return nil
  }
}

/// The order of the values of a `manyOf`: slot by slot, as words in a dictionary.
private struct Selection {
  let options: [SpaceNode]
  let ordered: Bool
  let distinct: Bool

  func successor(of parts: [Choice]) -> Choice? {
    for slot in parts.indices.reversed() {
      var candidate = next(after: parts[slot], given: parts[..<slot])
      while let part = candidate {
        if let filled = fill(Array(parts[..<slot]) + [part], to: parts.count) { return .parts(filled) }
        candidate = next(after: part, given: parts[..<slot])
      }
    }
    return nil
  }

  private func next(after part: Choice, given before: ArraySlice<Choice>) -> Choice? {
    guard case .option(let index, let inner) = part else { Choice.misfit() }
    if let next = options[index].successor(of: inner) { return .option(index, next) }
    return firstOption(from: index + 1, given: before)
  }

  private func firstOption(from start: Int, given before: some Sequence<Choice>) -> Choice? {
    let taken = distinct && ordered ? before.map(option) : []
    return (start..<max(start, options.count)).first { !taken.contains($0) }.map { .option($0, options[$0].first) }
  }

  private func option(of part: Choice) -> Int {
    guard case .option(let index, _) = part else { Choice.misfit() }
    return index
  }

  /// The smallest allowed values after those given; nil when the options run out.
  private func fill(_ before: [Choice], to count: Int) -> [Choice]? {
    var parts = before
    while parts.count < count {
      guard let last = parts.last else { return nil }
      if ordered {
        guard let part = firstOption(from: 0, given: parts) else { return nil }
        parts.append(part)
      } else if distinct {
        guard let part = firstOption(from: option(of: last) + 1, given: []) else { return nil }
        parts.append(part)
      } else {
        parts.append(last)
      }
    }
    return parts
  }
}
