import Canonical
import Diagnostics

/// One argument or named option of an API function, or one field of a class.
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

  /// Whether a call has to give it.
  public var isRequired: Bool { !optional && defaultValue == nil }
}

/// One function of the API, described once: argument checks, defaults, help, editor files and the reference all come
/// from this value.
public struct Declaration: Sendable {
  /// As a recipe writes it: `nas.nn.conv2d`, `space:random`.
  public var name: String
  public var doc: String
  /// Where it may be called: "recipe" (anywhere), "build", "strategy", "evaluator", "model", "stop rule", or several of
  /// these joined by "or".
  public var context: String
  /// Paper and section of the algorithm, where it has one.
  public var source: String?
  public var parameters: [Parameter]
  /// The named options, in a table after the positional parameters; nil: it takes none.
  public var options: [Parameter]?
  /// The types of the results, joined by ", ", then `# ` and what they are: `Tensor, integer # values, positions`.
  /// "nothing" when there are none.
  public var returns: String
  /// A few lines of Lua that show a call, where one helps.
  public var example: String?

  public init(
    _ name: String, _ doc: String, context: String = "recipe", source: String? = nil, _ parameters: [Parameter] = [],
    options: [Parameter]? = nil, returns: String, example: String? = nil
  ) {
    self.name = name
    self.doc = doc
    self.context = context
    self.source = source
    self.parameters = parameters
    self.options = options
    self.returns = returns
    self.example = example
  }

  /// Whether it is called on an object, `space:random()`.
  public var isMethod: Bool { name.contains(":") }
  /// How many objects of any class make a call that needs no check; 0 for a function that takes something else too.
  var objectsTaken: Int {
    options == nil && parameters.allSatisfy { $0.type.text == "any" && $0.choices == nil } ? parameters.count : 0
  }
  /// What stands before the last dot or colon: `nas.nn`, `space`.
  public var family: String { Self.family(of: name) }
  /// What stands after it: `conv2d`, `random`.
  public var leaf: String { API.leaf(name) }
  /// What a call gives besides the object of a method.
  public var arguments: ArraySlice<Parameter> { isMethod ? parameters.dropFirst() : parameters[...] }
  /// The types of the results.
  public var resultTypes: [ArgumentType] {
    let types = returns.prefix { $0 != "#" }.trimmingWhitespace
    return types == "nothing" ? [] : ArgumentType.split(types, at: ",").map { ArgumentType($0.trimmingWhitespace) }
  }
  /// What the results are, in words; empty where the types say it.
  public var resultDoc: String {
    returns.firstIndex(of: "#").map { String(returns[returns.index(after: $0)...]).trimmingWhitespace } ?? ""
  }

  static func family(of name: String) -> String {
    name.lastIndex { $0 == "." || $0 == ":" }.map { String(name[..<$0]) } ?? ""
  }
}

/// A class of the API: what its objects are and the fields that they have. Its methods are declared as functions.
public struct ClassDeclaration: Sendable {
  public var name: String
  /// The word before the colon in its methods' names: `space`.
  public var object: String
  public var doc: String
  /// A field named `[string]` stands for any other name.
  public var fields: [Parameter]
  /// Its operators in the form of editor files: `add(Tensor|number): Tensor`.
  public var operators: [String]

  public init(
    _ name: String, object: String, _ doc: String, fields: [Parameter] = [], operators: [String] = []
  ) {
    self.name = name
    self.object = object
    self.doc = doc
    self.fields = fields
    self.operators = operators
  }
}

/// A value of the API that is no function: `nas.run`, `nas.proxies.snip`, the objective `latency_ms`.
public struct ValueDeclaration: Sendable {
  public var name: String
  public var type: ArgumentType
  public var doc: String
  public var source: String?

  public init(_ name: String, _ type: ArgumentType, _ doc: String, source: String? = nil) {
    self.name = name
    self.type = type
    self.doc = doc
    self.source = source
  }
}
