import Canonical
import Diagnostics

/// One argument or named option of an API function.
public struct Parameter: Sendable {
  public var name: String
  public var type: ArgumentType
  /// May be left out, and is then nil in the function.
  public var optional: Bool
  /// Stands in when the argument is left out.
  public var defaultValue: JSONValue?
  public var minimum: Double?
  public var maximum: Double?
  /// The texts that are allowed, for an option that is one of a few words.
  public var choices: [String]?
  public var doc: String

  public init(
    _ name: String, _ type: ArgumentType, optional: Bool = false, default defaultValue: JSONValue? = nil,
    min minimum: Double? = nil, max maximum: Double? = nil, oneOf choices: [String]? = nil, _ doc: String = ""
  ) {
    self.name = name
    self.type = type
    self.optional = optional
    self.defaultValue = defaultValue
    self.minimum = minimum
    self.maximum = maximum
    self.choices = choices
    self.doc = doc
  }
}

/// One function of the API, described once: argument checks, defaults, help, editor files and the reference all come
/// from this value.
public struct Declaration: Sendable {
  /// As a recipe writes it: `nas.nn.conv2d`, `space:random`.
  public var name: String
  public var doc: String
  /// Where it may be called: "recipe" (anywhere), "build", "strategy", "evaluator".
  public var context: String
  /// Paper and section of the algorithm, where it has one.
  public var source: String?
  public var parameters: [Parameter]
  /// The named options, in a table after the positional parameters; nil: it takes none.
  public var options: [Parameter]?
  public var returns: String

  public init(
    _ name: String, _ doc: String, context: String = "recipe", source: String? = nil, _ parameters: [Parameter] = [],
    options: [Parameter]? = nil, returns: String = ""
  ) {
    self.name = name
    self.doc = doc
    self.context = context
    self.source = source
    self.parameters = parameters
    self.options = options
    self.returns = returns
  }
}

/// What kinds of Lua value an argument may be: basic types and the API's own classes, joined by `|` in text form.
public struct ArgumentType: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  public var alternatives: [String]

  public init(_ text: String) { alternatives = text.split(separator: "|").map(String.init) }
  public init(stringLiteral text: String) { self.init(text) }

  public var description: String {
    alternatives.map { Self.phrases[$0] ?? "a \($0)" }.joined(separator: " or ")
  }

  private static let phrases = [
    "any": "any value", "integer": "an integer", "number": "a number", "string": "a string", "boolean": "a boolean",
    "function": "a function", "table": "a table", "Architecture": "an Architecture",
  ]
}
