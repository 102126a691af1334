import Canonical
import Diagnostics

/// One member of a space: an immutable value.
///
/// Two architectures are equal when their spaces are equal and every decision has the same value. The `id` looks at
/// the values alone, so that the same architecture keeps its id in a narrowed space.
public struct Architecture: Hashable, Sendable {
  /// The version of what an id is computed from; it starts every id.
  public static let grammar = "a1"

  /// The space that it is a member of.
  public let space: Space
  let choice: Choice

  init(space: Space, choice: Choice) {
    self.space = space
    self.choice = choice
  }

  /// What a build sees: the space's tree with every decision replaced by its value, for instance
  /// `{"blocks":[{"expand":4,"op":"mb3"}],"stem":16}`. It is also the architecture's JSON: `Space.make` reads it back.
  public var values: JSONValue { space.root.value(of: choice) }

  /// The canonical text of the values: the decisions, and the constants between them, whole numbers without a point.
  public var canonicalText: String { values.normal.text() }

  /// The grammar's version, a hyphen and the first 16 hexadecimal digits of the SHA-256 of `canonicalText`.
  public var id: String { Self.id(of: values) }

  /// The id that an architecture with these values has.
  public static func id(of values: JSONValue) -> String {
    grammar + "-" + ContentDigest.of(values.normal).prefix(16)
  }

  /// The value at a path such as `blocks[2].op`. Throws a `recipe` fault when the path leads nowhere.
  public func value(at path: String) throws -> JSONValue {
    let parsed = try DecisionPath(path)
    let values = values
    guard let value = values.value(at: parsed.steps) else { throw Self.nowhere(parsed, in: values) }
    return value
  }

  /// A copy with another value at the path: of one decision, or of a whole part (`blocks`, `blocks[2]`).
  ///
  /// The result must be a member of the space. Choosing an option that holds decisions means giving their values too;
  /// so does a longer list. Throws a `recipe` fault when the path leads nowhere or the value isn't allowed there.
  public func with(_ path: String, _ value: JSONValue) throws -> Architecture {
    let parsed = try DecisionPath(path)
    let values = values
    guard let changed = values.setting(parsed.steps[...], to: value) else { throw Self.nowhere(parsed, in: values) }
    return try space.make(changed)
  }

  /// The fault for a path that leads nowhere, told where it stops.
  private static func nowhere(_ path: DecisionPath, in values: JSONValue) -> Fault {
    var here = values
    var place = Place()
    for step in path.steps {
      guard let next = here.value(at: CollectionOfOne(step)) else { break }
      here = next
      switch step {
      case .key(let key): place = place.key(key)
      case .index(let index): place = place.index(index)
      case .all: break
      }
    }
    let at = Place.fault(place.path)
    let reached = place.path.isEmpty ? [] : (try? DecisionPath(place.path).steps) ?? []
    let missing = path.steps.dropFirst(reached.count).first
    switch (missing, here) {
    case (.key(let key), .object(let fields)):
      return Fault(.recipe, "no decision '\(key)'", path: at, hint: Suggestion.hint(for: key, among: fields.keys))
    case (.index(let index), .array(let values)):
      return Fault(
        .recipe, "no such element", path: at, expected: "an index from 1 to \(values.count)", got: String(index + 1))
    case (.all, _):
      return Fault(.recipe, "[*] can only narrow a space", path: at, hint: "Give one index.")
    default:
      return Fault(
        .recipe, "the path goes on inside a plain value", path: at, expected: "a path that ends there",
        got: here.text(), hint: "space:decisions() lists the paths.")
    }
  }
}

extension Architecture: CustomStringConvertible {
  /// The canonical text.
  public var description: String { canonicalText }
}
