import Canonical
import Diagnostics

/// Bounds on what a definition may ask for, far above any real space: an architecture must fit into memory and into the
/// stack of a recursive walk.
enum DefinitionLimit {
  /// Nodes inside nodes.
  static let nesting = 100
  /// Elements of one list, or slots of one `manyOf`.
  static let length = 10_000
}

extension SpaceNode {
  /// Whether there are nodes inside nodes for more than `levels`.
  func isNested(deeperThan levels: Int) -> Bool {
    let inner: [SpaceNode] =
      switch self {
      case .constant, .int, .float: []
      case .record(let record): record.fields.map(\.node)
      case .tuple(let nodes): nodes
      case .oneOf(let options, _), .manyOf(_, let options, _, _, _): options
      case .list(_, let element, _): [element]
      }
    return inner.contains { levels == 0 || $0.isNested(deeperThan: levels - 1) }
  }

  /// The node in its one normal form: whole numbers as integers, ranges ending at a member.
  ///
  /// Throws a `recipe` fault that names the path of the first definition that can't be meant: no options, the same
  /// value from two options, bounds the wrong way round, more to choose than there are options, an empty record.
  func checked(at place: Place = Place()) throws -> SpaceNode {
    switch self {
    case .constant(let value): .constant(try Self.normal(value, at: place))
    case .record(let record): .record(try Self.checked(record, at: place))
    case .tuple(let nodes):
      .tuple(try nodes.enumerated().map { try $1.checked(at: place.index($0)) })
    case .oneOf(let options, let name): .oneOf(try Self.checked(options: options, at: place), name: name)
    case .manyOf(let k, let options, let ordered, let distinct, let name):
      .manyOf(
        try Self.checked(k: k, options.count, distinct, at: place), try Self.checked(options: options, at: place),
        ordered: ordered, distinct: distinct, name: name)
    case .list(let count, let element, let name):
      .list(try Self.checked(count, at: place), try element.checked(at: place.index(0)), name: name)
    case .int(let range, let name): .int(try Self.checked(range, at: place), name: name)
    case .float(let range, let name): .float(try Self.checked(range, at: place), name: name)
    }
  }

  private static func fault(
    _ message: String, _ place: Place, expected: String? = nil, got: String? = nil, hint: String? = nil
  ) -> Fault {
    Fault(.recipe, message, path: Place.fault(place.path), expected: expected, got: got, hint: hint)
  }

  private static func normal(_ value: JSONValue, at place: Place) throws -> JSONValue {
    switch value {
    case .null, .bool, .int, .string: return value
    case .number(let number):
      if !number.isFinite { throw fault("a constant must be finite", place, got: value.text()) }
      return Int(exactly: number).map { .int($0) } ?? value
    case .array(let values):
      return .array(try values.enumerated().map { try normal($1, at: place.index($0)) })
    case .object(let fields):
      return .object(
        Dictionary(
          uniqueKeysWithValues: try fields.map { key, value in
            (key, try normal(value, at: place.key(try checked(key: key, at: place))))
          }))
    }
  }

  private static func checked(key: String, at place: Place) throws -> String {
    let reserved = key.contains { ".[]()#=*".contains($0) || $0.isWhitespace }
    if key.isEmpty || reserved {
      throw fault(
        "a key can't be part of a path", place, expected: "text without spaces and . [ ] ( ) # = *",
        got: JSONValue.string(key).text())
    }
    return key
  }

  private static func checked(_ record: Record, at place: Place) throws -> Record {
    if record.fields.isEmpty { throw fault("a record needs at least one key", place) }
    for (field, next) in zip(record.fields, record.fields.dropFirst()) where field.key == next.key {
      throw fault("a key is given twice", place, got: JSONValue.string(field.key).text())
    }
    return try record.map { try $0.node.checked(at: place.key(try checked(key: $0.key, at: place))) }
  }

  private static func checked(options: [SpaceNode], at place: Place) throws -> [SpaceNode] {
    if options.isEmpty { throw fault("a decision needs at least one option", place) }
    let checked = try options.map { try $0.checked(at: place) }
    var seen: [JSONValue: Int] = [:]
    for (index, option) in checked.enumerated() {
      let earlier: Int?
      if case .constant(let value) = option {
        earlier = seen[value] ?? checked[..<index].firstIndex { $0.isStructured && $0.overlaps(option) }
        seen[value] = index
      } else {
        earlier = checked[..<index].firstIndex { $0.overlaps(option) }
      }
      if let earlier {
        throw fault(
          "options \(earlier + 1) and \(index + 1) can give the same value", place, got: option.label,
          hint: "Each value must tell which option was chosen.")
      }
    }
    return checked
  }

  private static func checked(k: Int, _ count: Int, _ distinct: Bool, at place: Place) throws -> Int {
    if k < 1 || (distinct && count > 0 && k > count) {
      let expected = k < 1 ? "at least 1" : "at most \(count)"
      throw fault("can't choose that many options", place, expected: expected, got: String(k))
    }
    if k > DefinitionLimit.length {
      throw fault("too many elements", place, expected: "at most \(DefinitionLimit.length)", got: String(k))
    }
    return k
  }

  private static func checked(_ count: ListCount, at place: Place) throws -> ListCount {
    let range = count.range
    if range.lower < 0 {
      throw fault("a list can't have a negative length", place, expected: "at least 0", got: String(range.lower))
    }
    if range.upper > DefinitionLimit.length {
      throw fault("too many elements", place, expected: "at most \(DefinitionLimit.length)", got: String(range.upper))
    }
    return if case .between = count { .between(try checked(range, at: place)) } else { count }
  }

  private static func checked(_ range: IntRange, at place: Place) throws -> IntRange {
    if range.step < 1 { throw fault("bad step", place, expected: "at least 1", got: String(range.step)) }
    if range.lower > range.upper {
      throw fault("the lower bound is above the upper bound", place, got: "\(range.lower) to \(range.upper)")
    }
    let exact = 1 << 53
    if range.lower < -exact || range.upper > exact || range.step > exact {
      throw fault("the range is too wide", place, expected: "whole numbers up to 2^53, which a double can hold")
    }
    if range.log && range.lower < 1 {
      throw fault("a logarithmic range starts at 1 or above", place, got: String(range.lower))
    }
    return IntRange(range.lower, range.value(at: range.count - 1), step: range.step, log: range.log)
  }

  private static func checked(_ range: FloatRange, at place: Place) throws -> FloatRange {
    if !range.lower.isFinite || !range.upper.isFinite || !(range.upper - range.lower).isFinite {
      throw fault("bounds must be finite", place, got: "\(range.lower) to \(range.upper)")
    }
    if range.lower > range.upper {
      throw fault("the lower bound is above the upper bound", place, got: "\(range.lower) to \(range.upper)")
    }
    if range.log && range.lower <= 0 {
      throw fault("a logarithmic range starts above 0", place, got: "\(range.lower)")
    }
    return range
  }

  private var isStructured: Bool { if case .constant = self { false } else { true } }
}
