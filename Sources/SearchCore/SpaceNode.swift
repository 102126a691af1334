import Canonical

/// One node of a search-space definition: a fixed value, a structure of nodes, or a decision between values.
///
/// Decisions nest: an option of a `oneOf` may hold decisions of its own, which are active only while that option is
/// chosen (a conditional space). The values that an architecture gives to the nodes form a tree of the same shape, in
/// which a decision is replaced by the value chosen:
/// ```swift
/// let block: SpaceNode = .record(["op": .oneOf(["conv3", "mb3"]), "expand": .oneOf([2, 4, 6])])
/// let root: SpaceNode = .record(["stem": .oneOf([8, 16]), "blocks": .list(.fixed(2), block)])
/// // one member: {"blocks":[{"expand":4,"op":"mb3"},{"expand":2,"op":"conv3"}],"stem":16}
/// ```
public indirect enum SpaceNode: Hashable, Sendable {
  /// A value that never changes.
  case constant(JSONValue)
  /// Named nodes; no decision by itself.
  case record(Record)
  /// Nodes by position; no decision by itself.
  case tuple([SpaceNode])
  /// Exactly one of the options.
  case oneOf([SpaceNode], name: String? = nil)
  /// `k` of the options. Unless `ordered`, the order doesn't matter and the value lists them in the options' order;
  /// unless `distinct`, an option may be chosen more than once.
  case manyOf(Int, [SpaceNode], ordered: Bool = false, distinct: Bool = true, name: String? = nil)
  /// The same node several times, decided independently. A `.between` count is itself a decision.
  case list(ListCount, SpaceNode, name: String? = nil)
  /// A whole number of a range.
  case int(IntRange, name: String? = nil)
  /// A real number of a range.
  case float(FloatRange, name: String? = nil)
}

/// The fields of a record, in ascending order of their keys however they were given: a Lua table has no order that
/// could be kept, and everything that follows the order (draws, iteration, encodings) must not depend on it.
public struct Record: Hashable, Sendable, ExpressibleByDictionaryLiteral {
  /// One key and what it leads to.
  public struct Field: Hashable, Sendable {
    /// A key that can be part of a path: not empty, without spaces and `. [ ] ( ) # = *`.
    public let key: String
    /// A constant, a structure or a decision.
    public let node: SpaceNode
  }

  /// In ascending order of the keys.
  public let fields: [Field]

  /// Sorts the fields; a space that holds a record without fields, or with a key twice, is refused.
  public init(_ fields: some Sequence<(key: String, value: SpaceNode)>) {
    self.fields = fields.map { Field(key: $0.key, node: $0.value) }.sorted { $0.key < $1.key }
  }

  /// Makes a record of a literal: `["op": .oneOf(["a", "b"])]`.
  public init(dictionaryLiteral elements: (String, SpaceNode)...) {
    self.init(elements.map { (key: $0.0, value: $0.1) })
  }

  func map(_ transform: (Field) throws -> SpaceNode) rethrows -> Record {
    Record(try fields.map { (key: $0.key, value: try transform($0)) })
  }
}

/// The whole numbers `lower, lower + step, …` up to `upper`.
public struct IntRange: Hashable, Sendable {
  /// The least member.
  public let lower: Int
  /// The greatest member, after the checks of `Space`; before them, a bound.
  public let upper: Int
  /// Default 1.
  public let step: Int
  /// Drawn uniformly in the logarithm, so that 1…10 is as likely as 10…100; `lower` must be at least 1. Default false.
  public let log: Bool

  /// Makes a range; a space that holds it checks the bounds.
  public init(_ lower: Int, _ upper: Int, step: Int = 1, log: Bool = false) {
    (self.lower, self.upper, self.step, self.log) = (lower, upper, step, log)
  }

  /// How many numbers there are; the range must have passed the checks of `Space`.
  var count: Int { (upper - lower) / step + 1 }
  func value(at index: Int) -> Int { lower + index * step }
  func contains(_ value: Int) -> Bool { lower <= value && value <= upper && (value - lower) % step == 0 }
}

/// The real numbers from `lower` to `upper`, both included.
public struct FloatRange: Hashable, Sendable {
  /// The least member.
  public let lower: Double
  /// The greatest member.
  public let upper: Double
  /// Drawn uniformly in the logarithm; `lower` must be greater than 0. Default false.
  public let log: Bool

  /// Makes a range; a space that holds it checks the bounds.
  public init(_ lower: Double, _ upper: Double, log: Bool = false) {
    (self.lower, self.upper, self.log) = (lower, upper, log)
  }

  func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}

/// How long a list is.
public enum ListCount: Hashable, Sendable {
  case fixed(Int)
  /// The length is a decision; the first elements stay when it shrinks.
  case between(IntRange)

  var range: IntRange {
    switch self {
    case .fixed(let count): IntRange(count, count)
    case .between(let range): range
    }
  }
}

extension SpaceNode: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  /// A constant.
  public init(stringLiteral value: String) { self = .constant(.string(value)) }
  /// A constant.
  public init(integerLiteral value: Int) { self = .constant(.int(value)) }
  /// A constant.
  public init(booleanLiteral value: Bool) { self = .constant(.bool(value)) }
}

extension SpaceNode {
  /// The recipe's label for the decision; nil where there is none.
  public var name: String? {
    switch self {
    case .oneOf(_, let name), .manyOf(_, _, _, _, let name), .list(_, _, let name), .int(_, let name),
      .float(_, let name):
      name
    case .constant, .record, .tuple: nil
    }
  }

  /// Whether this node itself is decided, apart from what it holds.
  public var isDecision: Bool {
    switch self {
    case .constant, .record, .tuple, .list(.fixed, _, _): false
    case .oneOf, .manyOf, .list(.between, _, _), .int, .float: true
    }
  }

  /// Whether this node or a node inside it is a decision.
  public var holdsDecisions: Bool {
    switch self {
    case .constant: false
    case .record(let record): record.fields.contains { $0.node.holdsDecisions }
    case .tuple(let nodes): nodes.contains { $0.holdsDecisions }
    case .list(.fixed(let count), let element, _): count > 0 && element.holdsDecisions
    case .oneOf, .manyOf, .list, .int, .float: true
    }
  }
}

extension SpaceNode {
  /// The keys of all records in it, those of constants too: what a member may have as a name.
  public var keys: Set<String> {
    switch self {
    case .constant(let value): value.keys
    case .record(let record):
      record.fields.reduce(into: []) { $0.formUnion($1.node.keys.union([$1.key])) }
    case .tuple(let nodes), .oneOf(let nodes, _), .manyOf(_, let nodes, _, _, _):
      nodes.reduce(into: []) { $0.formUnion($1.keys) }
    case .list(_, let node, _): node.keys
    case .int, .float: []
    }
  }
}

extension JSONValue {
  fileprivate var keys: Set<String> {
    switch self {
    case .object(let fields): fields.reduce(into: []) { $0.formUnion($1.value.keys.union([$1.key])) }
    case .array(let values): values.reduce(into: []) { $0.formUnion($1.keys) }
    default: []
    }
  }
}
