import Diagnostics
import LuaHost

/// What kinds of Lua value an argument may be: basic types and the API's own classes, joined by `|` in text form.
///
/// Besides names there are `Tensor[]`, a list; `table<string, number>`, a table by its keys and values; and
/// `fun(trial: Trial): table`, a function. Calls are checked for a table or a function there; the rest is for editors and
/// the reference.
public struct ArgumentType: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public var alternatives: [String]

  public init(_ text: String) { alternatives = Self.split(text, at: "|") }
  public init(stringLiteral text: String) { self.init(text) }

  /// As it was declared.
  public var text: String { alternatives.joined(separator: "|") }

  /// In words, for errors.
  public var description: String {
    alternatives.map(Self.phrase).joined(separator: " or ")
  }

  private static func phrase(_ alternative: String) -> String {
    if alternative == "any" { return "any value" }
    switch Shape(alternative) {
    case .list: return "a list of \(alternative.dropLast(2))s"
    case .function: return "a function"
    case .table: return "a table"
    case .name: return withArticle(alternative)
    }
  }

  /// How an alternative is written, which says what a call is checked for.
  private enum Shape {
    case list, function, table, name

    init(_ text: String) {
      if text.hasSuffix("[]") {
        self = .list
      } else if text == "function" || text.hasPrefix("fun(") {
        self = .function
      } else if text == "table" || text.hasPrefix("table<") {
        self = .table
      } else {
        self = .name
      }
    }
  }

  /// Whether a value is of one of the alternatives; a class is compared by the name that recipes see.
  func accepts(_ value: LuaValue) -> Bool {
    alternatives.contains { alternative in
      switch Shape(alternative) {
      case .list, .table: value.table != nil
      case .function: value.function != nil
      case .name: Self.accepts(value, named: alternative)
      }
    }
  }

  private static func accepts(_ value: LuaValue, named name: String) -> Bool {
    switch name {
    case "any": true
    case "integer": value.integer != nil
    case "number": value.number != nil
    case "string": value.string != nil
    case "boolean": value.bool != nil
    default:
      switch value {
      case .userdata(let object): type(of: object).luaName == name
      case .table(let table): table.className == name
      default: false
      }
    }
  }

  /// The parts of a type's text between separators that stand in no bracket.
  static func split(_ text: String, at separator: Character) -> [String] {
    var parts = [""], depth = 0
    for character in text {
      if "(<{".contains(character) { depth += 1 }
      if ")>}".contains(character) { depth -= 1 }
      if character == separator, depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
    }
    return parts
  }
}

extension StringProtocol {
  /// Without white space at both ends.
  var trimmingWhitespace: String {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
