import Canonical

/// What was chosen at a node and inside it: the tree behind an architecture, in the shape of its `SpaceNode`.
indirect enum Choice: Hashable, Sendable {
  /// A constant.
  case fixed
  /// The children of a record, tuple or list; for a `manyOf`, the chosen options, each an `.option`.
  case parts([Choice])
  case option(Int, Choice)
  case int(Int)
  case float(Double)

  /// A choice met a node of another shape: a defect of this module, never of its input.
  static func misfit() -> Never { preconditionFailure("a choice does not fit its space node") }

  /// The order in which a space is iterated: option by option, then inside the option.
  func precedes(_ other: Choice) -> Bool {
    switch (self, other) {
    case (.fixed, .fixed): false
    case (.parts(let a), .parts(let b)): a.lexicographicallyPrecedes(b) { $0.precedes($1) }
    case (.option(let a, let inner), .option(let b, let other)): a == b ? inner.precedes(other) : a < b
    case (.int(let a), .int(let b)): a < b
    case (.float(let a), .float(let b)): a < b
    default: Self.misfit()
    }
  }
}

extension SpaceNode {
  /// A child that exists under some choice.
  struct Child {
    let step: Int
    let node: SpaceNode
    let choice: Choice
    /// Nil unless the parent's was given.
    let place: Place?
  }

  /// The active children of this node, in order; `step` is what `replacing` takes.
  func children(of choice: Choice, at place: Place? = nil) -> [Child] {
    switch (self, choice) {
    case (.record(let record), .parts(let parts)):
      record.fields.indices.map {
        let field = record.fields[$0]
        return Child(step: $0, node: field.node, choice: parts[$0], place: place?.key(field.key))
      }
    case (.tuple(let nodes), .parts(let parts)):
      nodes.indices.map { Child(step: $0, node: nodes[$0], choice: parts[$0], place: place?.index($0)) }
    case (.list(let count, let element, _), .parts(let parts)):
      parts.indices.map {
        Child(
          step: $0, node: element, choice: parts[$0],
          place: place?.index($0).conditional(isDecision && $0 >= count.range.lower))
      }
    case (.oneOf(let options, _), .option(let index, let inner)):
      [Child(step: 0, node: options[index], choice: inner, place: place?.option(index))]
    case (.manyOf(_, let options, let ordered, let distinct, _), .parts(let parts)):
      parts.indices.map { slot in
        guard case .option(let index, let inner) = parts[slot] else { Choice.misfit() }
        let byOption = distinct && !ordered
        let inside = byOption ? place?.chosen(option: index, slot: slot) : place?.index(slot).option(index)
        return Child(step: slot, node: options[index], choice: inner, place: inside)
      }
    case (.constant, .fixed), (.int, .int), (.float, .float): []
    default: Choice.misfit()
    }
  }

  /// The choice with one child replaced; `canonical` must follow where the order of chosen options doesn't matter.
  func replacing(_ step: Int, of choice: Choice, with child: Choice) -> Choice {
    switch (self, choice) {
    case (.oneOf, .option(let index, _)): return .option(index, child)
    case (.manyOf, .parts(var parts)):
      guard case .option(let index, _) = parts[step] else { Choice.misfit() }
      parts[step] = .option(index, child)
      return .parts(parts)
    case (_, .parts(var parts)):
      parts[step] = child
      return .parts(parts)
    default: Choice.misfit()
    }
  }

  /// The choice at the end of `steps`, changed by `change`.
  func rewriting(
    _ choice: Choice, at steps: ArraySlice<Int>, _ change: (SpaceNode, Choice) throws -> Choice
  ) rethrows -> Choice {
    guard let step = steps.first else { return try change(self, choice) }
    guard let child = children(of: choice).first(where: { $0.step == step }) else { Choice.misfit() }
    return replacing(step, of: choice, with: try child.node.rewriting(child.choice, at: steps.dropFirst(), change))
  }

  /// The one form of choices that mean the same: the elements of an unordered `manyOf` in order.
  func canonical(_ choice: Choice) -> Choice {
    guard holdsMultisets else { return choice }
    var result = choice
    for child in children(of: choice) {
      result = replacing(child.step, of: result, with: child.node.canonical(child.choice))
    }
    if case .manyOf(_, _, false, _, _) = self, case .parts(let parts) = result {
      return .parts(parts.sorted { $0.precedes($1) })
    }
    return result
  }

  /// Whether a choice inside can need `canonical` after a change: an option may be chosen twice, in any order, and
  /// holds decisions.
  private var holdsMultisets: Bool {
    switch self {
    case .constant, .int, .float: false
    case .record(let record): record.fields.contains { $0.node.holdsMultisets }
    case .tuple(let nodes): nodes.contains { $0.holdsMultisets }
    case .list(_, let element, _): element.holdsMultisets
    case .oneOf(let options, _), .manyOf(_, let options, true, _, _), .manyOf(_, let options, _, true, _):
      options.contains { $0.holdsMultisets }
    case .manyOf(_, let options, _, _, _): options.contains { $0.holdsDecisions }
    }
  }

  /// The value that a build sees.
  func value(of choice: Choice) -> JSONValue {
    switch (self, choice) {
    case (.constant(let value), .fixed): return value
    case (.record(let record), .parts(let parts)):
      var fields = [String: JSONValue](minimumCapacity: parts.count)
      for (field, part) in zip(record.fields, parts) { fields[field.key] = field.node.value(of: part) }
      return .object(fields)
    case (.tuple(let nodes), .parts(let parts)): return .array(zip(nodes, parts).map { $0.value(of: $1) })
    case (.list(_, let element, _), .parts(let parts)): return .array(parts.map { element.value(of: $0) })
    case (.manyOf(_, let options, _, _, _), .parts(let parts)):
      return .array(parts.map { SpaceNode.oneOf(options).value(of: $0) })
    case (.oneOf(let options, _), .option(let index, let inner)): return options[index].value(of: inner)
    case (.int, .int(let value)): return .int(value)
    case (.float, .float(let value)): return .number(value)
    default: Choice.misfit()
    }
  }

  /// How an option reads in lists and in the names of features: its text, its JSON, or nothing better than its kind.
  var label: String {
    switch self {
    case .constant(.string(let text)): text
    case .constant(let value): value.text()
    default: kind
    }
  }

  /// `oneof`, `manyof`, `list`, `int`, `float`, `record`, `tuple` or `constant`.
  public var kind: String {
    switch self {
    case .constant: "constant"
    case .record: "record"
    case .tuple: "tuple"
    case .oneOf: "oneof"
    case .manyOf: "manyof"
    case .list: "list"
    case .int: "int"
    case .float: "float"
    }
  }
}
