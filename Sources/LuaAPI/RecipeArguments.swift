import Canonical
import Diagnostics

/// The settings of a recipe: named defaults, which also give the types, and what the command line says instead.
public enum RecipeArguments {
  /// The defaults with every `--set name=value` applied.
  ///
  /// - Throws: a `usage` fault for a name that the recipe doesn't have (with the nearest one) and for a value that
  ///   isn't of the default's type.
  static func resolve(defaults: [String: JSONValue], given: [(name: String, value: String)]) throws
    -> [String: JSONValue]
  {
    var values = defaults
    for (name, text) in given {
      guard let standard = defaults[name] else {
        throw Fault(
          .usage, "the recipe has no setting '\(name)'", hint: Suggestion.hint(for: name, among: defaults.keys))
      }
      guard let value = parse(text, like: standard) else {
        throw Fault(
          .usage, "wrong value for the setting '\(name)'", expected: phrase(for: standard), got: "'\(text)'")
      }
      values[name] = value
    }
    return values
  }

  /// Splits `name=value`.
  public static func split(_ text: String) throws -> (name: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw Fault(.usage, "wrong --set", expected: "name=value", got: "'\(text)'")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }

  private static func parse(_ text: String, like standard: JSONValue) -> JSONValue? {
    switch standard {
    case .bool: ["true": .bool(true), "false": .bool(false)][text]
    case .int: Int(text).map { .int($0) }
    case .number: Double(text).map { .number($0) }
    default: .string(text)
    }
  }

  private static func phrase(for standard: JSONValue) -> String {
    switch standard {
    case .bool: "true or false"
    case .int: "a whole number"
    case .number: "a number"
    default: "a text"
    }
  }
}
