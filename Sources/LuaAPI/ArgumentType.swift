import Diagnostics
import LuaHost

/// What kinds of Lua value an argument may be: basic types and the API's own classes, joined by `|` in text form.
///
/// Besides names there are `Tensor[]`, a list; `table<string, number>`, a table by its keys and values; and
/// `fun(trial: Trial): table`, a function. Calls are checked for a table or a function there; the rest is for editors and
/// the reference.
public struct ArgumentType: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public let alternatives: [String]
  /// What calls are checked for, for each alternative.
  private let kinds: [Kind]

  public init(_ text: String) {
    alternatives = Self.split(text, at: "|")
    kinds = alternatives.map { Kind($0) }
  }

  public init(stringLiteral text: String) { self.init(text) }

  /// As it was declared.
  public var text: String { alternatives.joined(separator: "|") }

  /// In words, for errors.
  public var description: String {
    zip(alternatives, kinds).map { Self.phrase($0, $1) }.joined(separator: " or ")
  }

  private static func phrase(_ alternative: String, _ kind: Kind) -> String {
    switch kind {
    case .any: "any value"
    case .list: "a list of \(alternative.dropLast(2))s"
    case .function: "a function"
    case .table: "a table"
    case .integer, .number, .string, .boolean, .named: withArticle(alternative)
    }
  }

  private enum Kind {
    case any, integer, number, string, boolean, list, function, table
    case named(String)

    init(_ text: String) {
      switch text {
      case "any": self = .any
      case "integer": self = .integer
      case "number": self = .number
      case "string": self = .string
      case "boolean": self = .boolean
      case _ where text.hasSuffix("[]"): self = .list
      case _ where text == "function" || text.hasPrefix("fun("): self = .function
      case _ where text == "table" || text.hasPrefix("table<"): self = .table
      default: self = .named(text)
      }
    }

    /// Whether a value is of the kind; a class is compared by the name that recipes see.
    func accepts(_ value: LuaValue) -> Bool {
      switch self {
      case .any: true
      case .integer: value.integer != nil
      case .number: value.number != nil
      case .string: value.string != nil
      case .boolean: value.bool != nil
      case .list, .table: value.table != nil
      case .function: value.function != nil
      case .named(let name):
        switch value {
        case .userdata(let object): type(of: object).luaName == name
        case .table(let table): table.className == name
        default: false
        }
      }
    }
  }

  /// Whether a value is of one of the alternatives.
  func accepts(_ value: LuaValue) -> Bool { kinds.contains { $0.accepts(value) } }

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
