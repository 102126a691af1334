import Canonical
import Diagnostics

/// A parsed path such as `blocks[2].op`: keys joined by dots, indices from 1 in brackets, `[*]` for every element.
struct DecisionPath {
  enum Step: Equatable {
    case key(String)
    /// From 0.
    case index(Int)
    case all
  }

  let text: String
  var steps: [Step] = []

  /// Throws when the text isn't a path. An empty text is the root.
  init(_ text: String) throws {
    self.text = text
    var rest = Substring(text)
    while !rest.isEmpty {
      if rest.first == "[" {
        guard let end = rest.firstIndex(of: "]") else { throw Self.malformed(text) }
        steps.append(try Self.index(rest[rest.index(after: rest.startIndex)..<end], of: text))
        rest = rest[rest.index(after: end)...]
      } else {
        if rest.first == "." {
          if steps.isEmpty { throw Self.malformed(text) }
          rest.removeFirst()
        } else if !steps.isEmpty {
          throw Self.malformed(text)
        }
        let key = rest.prefix { $0 != "." && $0 != "[" }
        if key.isEmpty { throw Self.malformed(text) }
        steps.append(.key(String(key)))
        rest = rest[key.endIndex...]
      }
    }
  }

  private static func index(_ digits: Substring, of text: String) throws -> Step {
    if digits == "*" { return .all }
    guard let index = Int(digits), index >= 1 else { throw malformed(text) }
    return .index(index - 1)
  }

  private static func malformed(_ text: String) -> Fault {
    Fault(
      .recipe, "malformed decision path", expected: "keys and indices like blocks[2].op",
      got: JSONValue.string(text).text())
  }
}

extension JSONValue {
  /// The value at `path`, or nil where it leads nowhere.
  func value(at steps: some Sequence<DecisionPath.Step>) -> JSONValue? {
    var here = self
    for step in steps {
      switch (step, here) {
      case (.key(let key), .object(let fields)):
        guard let value = fields[key] else { return nil }
        here = value
      case (.index(let index), .array(let values)) where values.indices.contains(index): here = values[index]
      default: return nil
      }
    }
    return here
  }

  /// A copy with another value at the path, which must lead somewhere.
  func setting(_ steps: ArraySlice<DecisionPath.Step>, to value: JSONValue) -> JSONValue? {
    guard let step = steps.first else { return value }
    switch (step, self) {
    case (.key(let key), .object(var fields)):
      guard let changed = fields[key]?.setting(steps.dropFirst(), to: value) else { return nil }
      fields[key] = changed
      return .object(fields)
    case (.index(let index), .array(var values)) where values.indices.contains(index):
      guard let changed = values[index].setting(steps.dropFirst(), to: value) else { return nil }
      values[index] = changed
      return .array(values)
    default: return nil
    }
  }
}
