import Canonical
import Diagnostics
import TensorCore

/// One attribute that an op accepts: its name, its kind and its default.
public struct AttributeSchema: Sendable {
  /// What values an attribute takes.
  public enum Kind: Sendable, Equatable {
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// One whole number for both dimensions, or `[height, width]`.
    case pair(ClosedRange<Int>)
    /// A pair, or `[]` for the kernel's size.
    case stride
    /// A pair, or `"same"`: half the dilated kernel, which keeps the size at stride 1.
    case padding
    /// A number in a range.
    case number(ClosedRange<Double>)
    case boolean
    /// A list of whole numbers.
    case integers
    /// One of some words.
    case text([String])

    /// Whether a list is a value of this kind.
    public var takesList: Bool {
      switch self {
      case .pair, .stride, .padding, .integers: true
      case .integer, .number, .boolean, .text: false
      }
    }
  }

  public let name: String
  public let kind: Kind
  /// The value when none is given; without one the attribute is required.
  public let standard: JSONValue?
  /// One line for the reference.
  public let documentation: String

  public init(_ name: String, _ kind: Kind, standard: JSONValue? = nil, _ documentation: String) {
    self.name = name
    self.kind = kind
    self.standard = standard
    self.documentation = documentation
  }
}

/// The attributes of one node: checked, complete (defaults filled in) and canonical (a pair is always two numbers), so
/// that equal attributes have equal text.
public struct Attributes: Hashable, Sendable {
  public private(set) var values: [String: JSONValue]

  /// Takes values that are known to be right; `checked` is for those that a user gave.
  init(_ values: [String: JSONValue] = [:]) { self.values = values }

  subscript(name: String) -> JSONValue? { values[name] }
  func integer(_ name: String) -> Int { values[name]?.int ?? 0 }
  func number(_ name: String) -> Double { values[name]?.double ?? 0 }
  func boolean(_ name: String) -> Bool { values[name]?.bool ?? false }
  func integers(_ name: String) -> [Int] { values[name]?.array?.compactMap(\.int) ?? [] }
  func pair(_ name: String) -> Extent {
    let numbers = integers(name)
    return numbers.count == 2 ? Extent(height: numbers[0], width: numbers[1]) : Extent(height: 0, width: 0)
  }

  /// The same attributes with one more or another value.
  func setting(_ name: String, _ value: JSONValue) -> Attributes {
    var copy = self
    copy.values[name] = value
    return copy
  }
}

extension Extent {
  /// `[height, width]`.
  var json: JSONValue { [.int(height), .int(width)] }
}

extension Attributes {
  /// Checks what a user gave against an op's schema. Throws a `recipe` fault that names the attribute.
  static func checked(_ given: [String: JSONValue], for op: Op, path: String) throws -> Attributes {
    let names = op.attributes.map(\.name)
    if let unknown = given.keys.sorted().first(where: { !names.contains($0) }) {
      throw Fault(
        .recipe, "\(op.name) has no option '\(unknown)'", path: path, hint: Suggestion.hint(for: unknown, among: names))
    }
    var values: [String: JSONValue] = [:]
    for schema in op.attributes {
      let isGiven = given[schema.name].map { $0 != .null } ?? false
      guard let value = isGiven ? given[schema.name] : schema.standard else {
        throw Fault(
          .recipe, "\(op.name) needs the option '\(schema.name)'", path: path, expected: schema.kind.text,
          got: given[schema.name].map { _ in "nil" },
          hint: given[schema.name].map { _ in "A name that isn't there is nil: check how it is spelt." })
      }
      guard let canonical = schema.kind.canonical(value) else {
        throw Fault(
          .recipe, "wrong value for the option '\(schema.name)' of \(op.name)", path: path, expected: schema.kind.text,
          got: value.text())
      }
      values[schema.name] = canonical
    }
    return Attributes(values)
  }
}

extension AttributeSchema.Kind {
  /// What is expected, for an error.
  var text: String {
    switch self {
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .pair(let range): "a whole number from \(range.lowerBound) to \(range.upperBound), or [height, width]"
    case .stride: Self.pair(1...1024).text
    case .padding: "\"same\", a whole number from 0 to \(Op.largestExtent), or [height, width]"
    case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
    case .boolean: "true or false"
    case .integers: "a list of whole numbers"
    case .text(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
    }
  }

  /// The value in its canonical form, or nil when it is not of this kind.
  fileprivate func canonical(_ value: JSONValue) -> JSONValue? {
    switch self {
    case .integer(let range): value.int.flatMap { range.contains($0) ? .int($0) : nil }
    case .pair(let range): Self.pair(value, in: range)
    case .stride: value == .array([]) ? value : Self.pair(value, in: 1...1024)
    case .padding: value == "same" ? value : Self.pair(value, in: 0...Op.largestExtent)
    case .number(let range): value.double.flatMap { range.contains($0) ? .number($0) : nil }
    case .boolean: value.bool.map { .bool($0) }
    case .integers: value.array?.allSatisfy { $0.int != nil } == true ? .some(value) : .none
    case .text(let words): value.string.map(words.contains) == true ? .some(value) : .none
    }
  }

  private static func pair(_ value: JSONValue, in range: ClosedRange<Int>) -> JSONValue? {
    let numbers = value.int.map { [$0, $0] } ?? value.array?.compactMap(\.int) ?? []
    guard numbers.count == 2, numbers.allSatisfy(range.contains) else { return nil }
    return Extent(height: numbers[0], width: numbers[1]).json
  }
}
