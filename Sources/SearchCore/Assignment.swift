import Canonical
import Diagnostics

extension Space {
  /// The member with these values: every decision given, constants given or left out.
  ///
  /// Throws a `recipe` fault with the path of the first key that isn't a decision, of a decision that is missing, or
  /// of a value that isn't among the options.
  public func make(_ values: JSONValue) throws -> Architecture {
    Architecture(space: self, choice: try root.choice(for: values, at: Place()))
  }

  /// The same values as a member of this space: needed to mutate or cross an architecture of another one, for
  /// instance of the space that this one narrows. Throws as `make` does.
  public func adopt(_ architecture: Architecture) throws -> Architecture {
    architecture.space == self ? architecture : try make(architecture.values)
  }
}

extension SpaceNode {
  /// Whether a member of this node has exactly this value, constants included.
  func accepts(_ value: JSONValue) -> Bool {
    guard let choice = try? choice(for: value, at: Place()) else { return false }
    return self.value(of: choice).normal == value.normal
  }

  /// The choice that gives `value`.
  func choice(for value: JSONValue, at place: Place) throws -> Choice {
    switch self {
    case .constant(let constant):
      if value.normal != constant { throw Self.fault(place, expected: constant.text(), got: value) }
      return .fixed
    case .record(let record): return try Self.choice(for: value, in: record, at: place)
    case .tuple(let nodes):
      let values = try Self.array(value, IntRange(nodes.count, nodes.count), at: place)
      return .parts(try nodes.indices.map { try nodes[$0].choice(for: values[$0], at: place.index($0)) })
    case .list(let count, let element, _):
      let values = try Self.array(value, count.range, at: place)
      return .parts(try values.enumerated().map { try element.choice(for: $1, at: place.index($0)) })
    case .oneOf(let options, _): return try Self.choice(for: value, among: options, at: place)
    case .manyOf: return try manyOfChoice(for: value, at: place)
    case .int(let range, _):
      guard let number = value.int, range.contains(number) else {
        throw Self.fault(place, expected: range.description, got: value)
      }
      return .int(number)
    case .float(let range, _):
      guard value.string == nil, let number = value.double, range.contains(number) else {
        throw Self.fault(place, expected: range.description, got: value)
      }
      return .float(number == 0 ? 0 : number)
    }
  }

  private static func fault(_ place: Place, expected: String, got: JSONValue?, hint: String? = nil) -> Fault {
    Fault(
      .recipe, got == nil ? "the decision is missing" : "not a value of this space", path: Place.fault(place.path),
      expected: expected, got: got?.text(), hint: hint)
  }

  private static func array(_ value: JSONValue, _ count: IntRange, at place: Place) throws -> [JSONValue] {
    // An empty Lua table doesn't say whether it is a list.
    let values = value.array ?? (value.object?.isEmpty == true ? [] : nil)
    guard let values else { throw fault(place, expected: "a list", got: value) }
    if !count.contains(values.count) {
      throw Fault(
        .recipe, "wrong number of elements", path: Place.fault(place.path), expected: count.description,
        got: String(values.count))
    }
    return values
  }

  private static func choice(for value: JSONValue, in record: Record, at place: Place) throws -> Choice {
    guard case .object(let values) = value else {
      throw fault(place, expected: "a table with " + record.fields.map(\.key).joined(separator: ", "), got: value)
    }
    for key in values.keys.sorted() where !record.fields.contains(where: { $0.key == key }) {
      throw Fault(
        .recipe, "no decision '\(key)'", path: Place.fault(place.path),
        hint: Suggestion.hint(for: key, among: record.fields.map(\.key)))
    }
    return .parts(
      try record.fields.map { field in
        if let value = values[field.key] { return try field.node.choice(for: value, at: place.key(field.key)) }
        guard let constant = field.node.onlyChoice else {
          throw fault(place.key(field.key), expected: field.node.expectation, got: nil)
        }
        return constant
      })
  }

  /// The choice of a node without decisions, which needs no value.
  private var onlyChoice: Choice? {
    switch self {
    case .constant: return .fixed
    case .record(let record): return Self.all(record.fields.map(\.node.onlyChoice))
    case .tuple(let nodes): return Self.all(nodes.map(\.onlyChoice))
    case .list(.fixed(let count), let element, _):
      return count == 0 ? .parts([]) : element.onlyChoice.map { .parts(Array(repeating: $0, count: count)) }
    case .oneOf, .manyOf, .list, .int, .float: return nil
    }
  }

  private static func all(_ choices: [Choice?]) -> Choice? {
    let known = choices.compactMap { $0 }
    return known.count == choices.count ? .parts(known) : nil
  }
}

// MARK: - Options

extension SpaceNode {
  private static func choice(for value: JSONValue, among options: [SpaceNode], at place: Place) throws -> Choice {
    let normal = value.normal
    var fitting: [(index: Int, choice: Choice)] = []
    for (index, option) in options.enumerated() {
      if case .constant(let constant) = option {
        if constant == normal { return .option(index, .fixed) }
      } else if let choice = try? option.choice(for: value, at: place) {
        fitting.append((index, choice))
      }
    }
    // Constants may be left out, but then they can't tell two options apart.
    if fitting.count > 1 { fitting = fitting.filter { options[$0.index].value(of: $0.choice).normal == normal } }
    guard fitting.count == 1 else { throw mismatch(value, among: options, at: place) }
    return .option(fitting[0].index, fitting[0].choice)
  }

  /// The fault of the one option that the value was meant for, where its shape or its constants tell; otherwise the
  /// list of options.
  private static func mismatch(_ value: JSONValue, among options: [SpaceNode], at place: Place) -> any Error {
    let meant = options.filter { $0.resembles(value) }
    if meant.count == 1, !meant[0].isConstant {
      do { _ = try meant[0].choice(for: value, at: place) } catch { return error }
    }
    let names = options.compactMap { option -> String? in
      if case .constant(.string(let text)) = option { text } else { nil }
    }
    let nearest = value.string.flatMap { Suggestion.nearest(to: $0, among: names) }
    return fault(
      place, expected: oneOfExpectation(options), got: value, hint: nearest.map { "Did you mean '\($0)'?" })
  }

  private var isConstant: Bool { if case .constant = self { true } else { false } }

  /// Whether the value has this option's shape and contradicts none of its constants.
  private func resembles(_ value: JSONValue) -> Bool {
    switch (self, value) {
    case (.record(let record), .object(let values)):
      return record.fields.allSatisfy { field in
        guard case .constant(let constant) = field.node, let given = values[field.key] else { return true }
        return constant == given.normal
      }
    case (.tuple, .array), (.list, .array), (.manyOf, .array): return true
    case (.int, .int), (.int, .number), (.float, .int), (.float, .number): return true
    case (.oneOf(let options, _), _): return options.contains { $0.resembles(value) }
    default: return false
    }
  }

  private func manyOfChoice(for value: JSONValue, at place: Place) throws -> Choice {
    guard case .manyOf(let k, let options, let ordered, let distinct, _) = self else { Choice.misfit() }
    let values = try Self.array(value, IntRange(k, k), at: place)
    let chosen = try values.enumerated().map {
      try Self.choice(for: $1, among: options, at: place.index($0))
    }
    var seen: Set<Int> = []
    for (slot, choice) in chosen.enumerated() {
      guard case .option(let index, _) = choice else { Choice.misfit() }
      if distinct && !seen.insert(index).inserted {
        throw Fault(
          .recipe, "an option is chosen twice", path: Place.fault(place.index(slot).path),
          expected: "\(k) different options", got: values[slot].text())
      }
    }
    return .parts(ordered ? chosen : chosen.sorted { $0.precedes($1) })
  }
}

// MARK: - What was expected, in words

extension SpaceNode {
  fileprivate var expectation: String {
    switch self {
    case .constant(let value): value.text()
    case .record(let record): "a table with " + record.fields.map(\.key).joined(separator: ", ")
    case .tuple, .list, .manyOf: "a list"
    case .oneOf(let options, _): Self.oneOfExpectation(options)
    case .int(let range, _): range.description
    case .float(let range, _): range.description
    }
  }

  fileprivate static func oneOfExpectation(_ options: [SpaceNode]) -> String {
    let shown = options.prefix(12).map(\.expectation) + (options.count > 12 ? ["…"] : [])
    return options.count == 1 ? shown[0] : "one of " + shown.joined(separator: ", ")
  }
}

extension IntRange: CustomStringConvertible {
  /// What a value must be, as errors say it.
  public var description: String {
    if lower == upper { return String(lower) }
    return "a whole number from \(lower) to \(upper)" + (step == 1 ? "" : " in steps of \(step)")
  }
}

extension FloatRange: CustomStringConvertible {
  /// What a value must be, as errors say it.
  public var description: String { "a number from \(lower) to \(upper)" }
}

extension JSONValue {
  /// The value with whole numbers as integers, as constants are kept.
  var normal: JSONValue {
    switch self {
    case .number(let number): Int(exactly: number).map { .int($0) } ?? self
    case .array(let values): .array(values.map(\.normal))
    case .object(let fields): .object(fields.mapValues(\.normal))
    case .null, .bool, .int, .string: self
    }
  }
}
