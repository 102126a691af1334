import Canonical
import Diagnostics

/// What a decision is narrowed to.
public enum Narrowing: Hashable, Sendable {
  /// One value: the decision is gone, the value stays where it was.
  case value(JSONValue)
  /// Some of its values. For a `manyOf`, the options that may still be chosen.
  case options([JSONValue])
}

extension Space {
  /// The part of this space where the values at some paths are fixed or restricted.
  ///
  /// A path may end at a decision, at a constant inside options (`op.kind`: options with another constant are
  /// dropped) or at a whole part; `blocks[*].op` means every element, `#blocks` the length of a list. One element of a
  /// list of variable length can't be narrowed alone. An architecture keeps its id in the narrowed space.
  ///
  /// Throws a `recipe` fault when a path leads nowhere or a value isn't allowed there.
  public func fix(_ narrowings: [(path: String, to: Narrowing)]) throws -> Space {
    let narrowed = try narrowings.reduce(root) { root, narrowing in
      try root.narrowed(narrowing.path, to: narrowing.to)
    }
    return try Space(name: name, root: narrowed, mutation: mutation)
  }
}

extension SpaceNode {
  fileprivate func narrowed(_ text: String, to narrowing: Narrowing) throws -> SpaceNode {
    let isCount = text.hasPrefix("#")
    let path = try DecisionPath(isCount ? String(text.dropFirst()) : text)
    if case .options(let options) = narrowing, options.isEmpty {
      throw Fault(.recipe, "nothing is left to choose", path: Place.fault(text), expected: "at least one value")
    }
    return try rewriting(at: path.steps[...], place: Place()) { node, place in
      isCount ? try node.withCount(narrowing, at: place) : try node.restricted(to: narrowing, at: place)
    }
  }

  /// The definition with the nodes at the path changed. Decisions on the way are looked through: the options that have
  /// the path are changed, those where the change is impossible are dropped, and those that lack the path stay.
  private func rewriting(
    at steps: ArraySlice<DecisionPath.Step>, place: Place, _ change: (SpaceNode, Place) throws -> SpaceNode
  ) throws -> SpaceNode {
    guard let step = steps.first else { return try change(self, place) }
    let rest = steps.dropFirst()
    switch (self, step) {
    case (.constant(.object(let fields)), .key):
      let record = Record(fields.map { (key: $0.key, value: .constant($0.value)) })
      return try SpaceNode.record(record).rewriting(at: steps, place: place, change)
    case (.constant(.array(let values)), .index), (.constant(.array(let values)), .all):
      return try SpaceNode.tuple(values.map { .constant($0) }).rewriting(at: steps, place: place, change)
    case (.record(let record), .key(let key)):
      if !record.fields.contains(where: { $0.key == key }) { break }
      return .record(
        try record.map {
          $0.key == key ? try $0.node.rewriting(at: rest, place: place.key(key), change) : $0.node
        })
    case (.tuple(var nodes), .index(let index)) where nodes.indices.contains(index):
      nodes[index] = try nodes[index].rewriting(at: rest, place: place.index(index), change)
      return .tuple(nodes)
    case (.tuple(let nodes), .all):
      return .tuple(
        try nodes.enumerated().map { try $1.rewriting(at: rest, place: place.index($0), change) })
    case (.list(let count, let element, let name), .all):
      return .list(count, try element.rewriting(at: rest, place: place.index(0), change), name: name)
    case (.list(.fixed(let count), let element, _), .index):
      return try SpaceNode.tuple(Array(repeating: element, count: count))
        .rewriting(at: steps, place: place, change)
    case (.oneOf(let options, let name), _):
      return try Self.rewriting(options, at: steps, place: place, name, change)
    default: break
    }
    throw nowhere(step, at: place)
  }

  private static func rewriting(
    _ options: [SpaceNode], at steps: ArraySlice<DecisionPath.Step>, place: Place, _ name: String?,
    _ change: (SpaceNode, Place) throws -> SpaceNode
  ) throws -> SpaceNode {
    var kept: [SpaceNode] = []
    var failure: (any Error)?
    var found = false
    for option in options {
      if !option.leads(along: steps) {
        kept.append(option)
        continue
      }
      do {
        kept.append(try option.rewriting(at: steps, place: place, change))
        found = true
      } catch { failure = failure ?? error }
    }
    if !found { throw failure ?? oneOf(options).nowhere(steps.first, at: place) }
    return kept.count == 1 ? kept[0] : .oneOf(kept, name: name)
  }

  private func leads(along steps: ArraySlice<DecisionPath.Step>) -> Bool {
    guard let step = steps.first else { return true }
    let rest = steps.dropFirst()
    return switch (self, step) {
    case (.constant(let value), _): value.value(at: steps) != nil
    case (.record(let record), .key(let key)):
      record.fields.contains { $0.key == key && $0.node.leads(along: rest) }
    case (.tuple(let nodes), .index(let index)): nodes.indices.contains(index) && nodes[index].leads(along: rest)
    case (.tuple(let nodes), .all): nodes.contains { $0.leads(along: rest) }
    case (.list(let count, let element, _), .index(let index)):
      index < count.range.upper && element.leads(along: rest)
    case (.list(_, let element, _), .all): element.leads(along: rest)
    case (.oneOf(let options, _), _): options.contains { $0.leads(along: steps) }
    default: false
    }
  }

  private func nowhere(_ step: DecisionPath.Step?, at place: Place) -> Fault {
    let path = Place.fault(place.path)
    switch (self, step) {
    case (.record(let record), .key(let key)):
      return Fault(
        .recipe, "no decision '\(key)'", path: path, hint: Suggestion.hint(for: key, among: record.fields.map(\.key)))
    case (.list(.between, _, _), .index):
      return Fault(
        .recipe, "one element of a list of variable length can't be narrowed", path: path,
        hint: "Narrow all of them with [*], or its length first.")
    case (.tuple(let nodes), .index(let index)):
      return Fault(
        .recipe, "no such element", path: path, expected: "an index from 1 to \(nodes.count)", got: String(index + 1))
    case (_, .key(let key)):
      return Fault(.recipe, "no decision '\(key)'", path: path, got: kind, hint: "space:decisions() lists the paths.")
    default:
      return Fault(
        .recipe, "the path goes on where nothing has an index", path: path, got: kind,
        hint: "space:decisions() lists the paths.")
    }
  }
}

// MARK: - The end of the path

extension SpaceNode {
  fileprivate func restricted(to narrowing: Narrowing, at place: Place) throws -> SpaceNode {
    switch (self, narrowing) {
    case (_, .value(let value)):
      let chosen = try choice(for: value, at: place)
      return .constant(self.value(of: chosen))
    case (.manyOf(let k, let options, let ordered, let distinct, let name), .options(let values)):
      let pool = try Self.narrowed(options, to: values, at: place)
      if pool.count == k, distinct, !ordered {
        return .constant(.array(pool.compactMap { if case .constant(let value) = $0 { value } else { nil } }))
      }
      return .manyOf(k, pool, ordered: ordered, distinct: distinct, name: name)
    case (.oneOf(let options, let name), .options(let values)):
      let kept = try Self.narrowed(options, to: values, at: place)
      return kept.count == 1 ? kept[0] : .oneOf(kept, name: name)
    case (_, .options(let values)):
      let constants = try values.map { SpaceNode.constant(value(of: try choice(for: $0, at: place))) }
      return constants.count == 1 ? constants[0] : .oneOf(constants, name: name)
    }
  }

  /// The given values in the options' order: constants themselves, and of structured options the members given.
  private static func narrowed(_ options: [SpaceNode], to values: [JSONValue], at place: Place) throws -> [SpaceNode] {
    let decision = SpaceNode.oneOf(options)
    let members = try values.map { try decision.choice(for: $0, at: place) }
    return members.sorted { $0.precedes($1) }.map { .constant(decision.value(of: $0)) }
  }

  fileprivate func withCount(_ narrowing: Narrowing, at place: Place) throws -> SpaceNode {
    guard case .list(let count, let element, let name) = self else {
      throw Fault(.recipe, "only a list has a length", path: Place.fault(place.path), got: kind)
    }
    let lengths: [JSONValue] = if case .options(let options) = narrowing { options } else { narrowing.single }
    let range = count.range
    let allowed = try lengths.map { value in
      guard let length = value.int, range.contains(length) else {
        throw Fault(
          .recipe, "not a length of this list", path: Place.fault(place.path), expected: range.description,
          got: value.text())
      }
      return length
    }.sorted()
    if allowed.count == 1 { return .list(.fixed(allowed[0]), element, name: name) }
    let step = allowed[1] - allowed[0]
    guard step > 0, zip(allowed, allowed.dropFirst()).allSatisfy({ $1 - $0 == step }) else {
      throw Fault(
        .recipe, "the lengths left must be evenly spaced", path: Place.fault(place.path),
        got: allowed.map(String.init).joined(separator: ", "))
    }
    return .list(
      .between(IntRange(allowed[0], allowed[allowed.count - 1], step: step, log: range.log)), element, name: name)
  }
}

extension Narrowing {
  fileprivate var single: [JSONValue] { if case .value(let value) = self { [value] } else { [] } }
}
