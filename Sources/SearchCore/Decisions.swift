import Canonical

/// A decision of a space, wherever it may become active.
public struct DecisionInfo: Hashable, Sendable {
  /// Where its value is in an architecture: `blocks[2].op`. A part that was chosen in no fixed place has `[*]`.
  public let path: String
  /// Like the path, with the options that lead to it, 1-based in parentheses: `op(2).expand`. No two decisions of a
  /// space share one. The length of a list has a site of its own: `#blocks`.
  public let site: String
  /// The recipe's label, if any.
  public let name: String?
  /// `oneof`, `manyof`, `int`, `float`, or `count` for the length of a list.
  public let kind: String
  /// What can be chosen, in the space's order: the text or JSON of a constant, the kind of anything else. Empty for
  /// numbers, whose range is in `node`.
  public let options: [String]
  /// How many other decisions must be taken a certain way before this one is active; 0 for one that always is.
  public let depth: Int
  /// The definition.
  public let node: SpaceNode

  init(_ node: SpaceNode, at place: Place) {
    let isCount = if case .list = node { true } else { false }
    (path, site, depth) = (place.path, isCount ? "#" + place.site : place.site, place.depth)
    name = node.name
    kind = isCount ? "count" : node.kind
    options = node.options.map(\.label)
    self.node = node
  }
}

/// A decision that is active in an architecture, with its value.
public struct ActiveDecision: Hashable, Sendable {
  /// Which decision: its `path` and `site` are those of this architecture.
  public let info: DecisionInfo
  /// The value at `info.path`; the length for a list.
  public let value: JSONValue
}

extension Space {
  /// Every decision in the space's order, outer before inner; the elements of a list each have their own, up to its
  /// greatest length.
  public var decisions: [DecisionInfo] {
    var found: [DecisionInfo] = []
    root.collectDecisions(at: Place(), &found)
    return found
  }
}

extension Architecture {
  /// The active decisions in the space's order, outer before inner.
  public var decisions: [ActiveDecision] {
    var found: [ActiveDecision] = []
    space.root.collectActive(choice, at: Place(), &found)
    return found
  }
}

extension SpaceNode {
  /// The options of a `oneOf` or `manyOf`, empty for other nodes.
  var options: [SpaceNode] {
    switch self {
    case .oneOf(let options, _), .manyOf(_, let options, _, _, _): options
    case .constant, .record, .tuple, .list, .int, .float: []
    }
  }

  fileprivate func collectDecisions(at place: Place, _ found: inout [DecisionInfo]) {
    if isDecision { found.append(DecisionInfo(self, at: place)) }
    guard holdsDecisions else { return }
    for (node, place) in possibleChildren(at: place) { node.collectDecisions(at: place, &found) }
  }

  /// The nodes that can become children, each with its place: every option of a decision, in every slot where slots
  /// differ, and every element up to the greatest length of a list.
  func possibleChildren(at place: Place) -> [(node: SpaceNode, place: Place)] {
    switch self {
    case .constant, .int, .float: return []
    case .record(let record): return record.fields.map { ($0.node, place.key($0.key)) }
    case .tuple(let nodes): return nodes.indices.map { (nodes[$0], place.index($0)) }
    case .list(let count, let element, _):
      if !element.holdsDecisions { return [] }
      return (0..<count.range.upper).map {
        (element, place.index($0).conditional(isDecision && $0 >= count.range.lower))
      }
    case .oneOf(let options, _): return options.indices.map { (options[$0], place.option($0)) }
    case .manyOf(_, let options, false, true, _):
      return options.indices.map { (options[$0], place.chosen(option: $0, slot: nil)) }
    case .manyOf(let k, let options, _, _, _):
      return (0..<k).flatMap { slot in
        options.indices.map { (options[$0], place.index(slot).option($0)) }
      }
    }
  }

  fileprivate func collectActive(_ choice: Choice, at place: Place, _ found: inout [ActiveDecision]) {
    if isDecision {
      let value = value(of: choice)
      let isCount = if case .list = self { true } else { false }
      found.append(
        ActiveDecision(
          info: DecisionInfo(self, at: place), value: isCount ? .int(value.array?.count ?? 0) : value))
    }
    for child in children(of: choice, at: place) {
      child.node.collectActive(child.choice, at: child.place ?? place, &found)
    }
  }
}
