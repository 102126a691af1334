import Canonical
import Diagnostics
import LuaHost

/// The checked arguments of one call: positional values with their defaults, then the named options with theirs.
struct Arguments {
  let values: [LuaValue]
  let options: [String: LuaValue]

  /// A positional argument; nil where an optional one was left out.
  subscript(position: Int) -> LuaValue { position < values.count ? values[position] : .nil }
  /// A named option; nil where an optional one was left out.
  subscript(name: String) -> LuaValue { options[name] ?? .nil }

  func object<T>(_ position: Int, as type: T.Type = T.self) throws -> T {
    guard let object = self[position].object(as: type) else {
      throw Fault(
        .recipe, "wrong argument \(position + 1)",
        expected: withArticle((type as? any LuaObject.Type)?.luaName ?? "\(type)"),
        got: "a table that has its name", hint: "Only nasrun makes objects of this class.")
    }
    return object
  }
  func integer(_ position: Int) -> Int { self[position].integer ?? 0 }
  func text(_ position: Int) -> String { self[position].string ?? "" }
  func integer(_ name: String) -> Int { self[name].integer ?? 0 }
  func number(_ name: String) -> Double { self[name].number ?? 0 }
  func text(_ name: String) -> String { self[name].string ?? "" }
  func flag(_ name: String) -> Bool { self[name].bool ?? false }

  /// What is left of a call when it is passed on to Lua: the positional values, then the table of options.
  func passedOn(hasOptions: Bool, host: LuaHost) throws -> [LuaValue] {
    guard hasOptions else { return values }
    return values + [try host.table(options)]
  }
}

/// Checks calls against a declaration. Every mistake is a `recipe` fault that names the function and the argument.
final class ArgumentCheck {
  /// A parameter as an object: a copy of its record would cost a reference count for each of its texts.
  private final class Checked {
    let parameter: Parameter
    init(_ parameter: Parameter) { self.parameter = parameter }
  }

  private let declaration: Declaration
  private let host: LuaHost
  private let parameters: [Checked]
  private let options: [Checked]?
  private let isMethod: Bool
  /// See `Declaration.objectsTaken`.
  let objectsTaken: Int
  /// Whether a table of options may follow.
  var takesOptions: Bool { options != nil }

  init(_ declaration: Declaration, host: LuaHost) {
    (self.declaration, self.host) = (declaration, host)
    parameters = declaration.parameters.map { Checked($0) }
    options = declaration.options?.map { Checked($0) }
    (isMethod, objectsTaken) = (declaration.isMethod, declaration.objectsTaken)
  }

  func check(_ given: [LuaValue]) throws -> Arguments {
    if isMethod, let object = parameters.first, !object.parameter.type.accepts(given.first ?? .nil) {
      throw fault(
        "wrong object before ':'", expected: object.parameter.type.description,
        got: given.first?.description ?? "nothing", hint: "Call it with a colon: \(declaration.name)(…).")
    }
    let accepted = parameters.count + (takesOptions ? 1 : 0)
    if given.count > accepted, given[accepted...].contains(where: { !$0.isNil }) {
      throw fault(
        "too many arguments", expected: "at most \(accepted - (isMethod ? 1 : 0))",
        got: "\(given.count - (isMethod ? 1 : 0))",
        hint: parameters.isEmpty ? "It takes named options: \(declaration.name) { … }." : nil)
    }
    var values: [LuaValue] = []
    for (index, parameter) in parameters.enumerated() {
      let value = index < given.count ? given[index] : .nil
      values.append(try check(value, parameter, label: label(parameter, index)))
    }
    guard let options else { return Arguments(values: values, options: [:]) }
    let table = parameters.count < given.count ? given[parameters.count] : .nil
    return Arguments(values: values, options: try check(options: table, options))
  }

  private func label(_ checked: Checked, _ index: Int) -> String {
    if isMethod, index == 0 { return "object before ':'" }
    return "argument \(index + (isMethod ? 0 : 1)) ('\(checked.parameter.name)')"
  }

  private func check(options value: LuaValue, _ declared: [Checked]) throws -> [String: LuaValue] {
    var given: [String: LuaValue] = [:]
    switch value {
    case .nil: break
    case .table(let table):
      for (key, value) in table.pairs {
        guard let name = key.string, declared.contains(where: { $0.parameter.name == name }) else {
          let name = key.string ?? key.description
          throw fault(
            "unknown option '\(name)'", hint: Suggestion.hint(for: name, among: declared.map(\.parameter.name)))
        }
        given[name] = value
      }
    default: throw fault("wrong options", expected: "a table such as { name = value }", got: value.description)
    }
    var options: [String: LuaValue] = [:]
    for checked in declared {
      let name = checked.parameter.name
      options[name] = try check(given[name] ?? .nil, checked, label: "option '\(name)'")
    }
    return options
  }

  /// How to come by an object of the class that is wanted, or what was forgotten.
  private func remedy(for value: LuaValue, _ parameter: Parameter) -> String? {
    if let name = value.string, let maker = Self.maker(named: name) { return "Write \(maker) { … } for it." }
    guard parameter.type.alternatives.count == 1, let source = Self.sources[parameter.type.text] else { return nil }
    if value.table?.className == "Trial", parameter.type.text == "Architecture" {
      return "That of a trial is trial.arch."
    }
    return value.function == nil ? source : "Call the function, and give what it returns."
  }

  /// The function of the library that makes what a text only names.
  private static func maker(named name: String) -> String? {
    ["nas.strategies.", "nas.evaluators.", "nas.spaces.", "nas.proxies."].map { $0 + name }
      .first(where: LibraryText.names.contains)
  }

  private static let sources = [
    "Space": "nas.space { … } and those of nas.spaces make one.", "Data": "nas.data.open(…) opens them.",
    "Architecture": "space:random() and space:make { … } give one.", "Trial": "search:evaluate(arch) returns one.",
    "Network": "arch:network(data) and trial:network() make one.", "Batch": "data:batches { … } gives them.",
    "Tensor": "nas.tensor { … } makes one.", "Result": "nas.search { … } returns one.",
  ]

  /// The value, or the parameter's default.
  private func check(
    _ value: LuaValue, _ checked: Checked, label: @autoclosure () -> String
  ) throws -> LuaValue {
    if !value.isNil, checked.parameter.type.accepts(value) {
      try checkChoice(value, checked, label: label())
      try checkRange(value, checked, label: label())
      return value
    }
    let parameter = checked.parameter
    if value.isNil {
      if let standard = parameter.defaultValue { return try host.value(standard) }
      if parameter.optional || parameter.type.alternatives.contains("any") { return .nil }
      throw fault("\(label()) is missing", expected: parameter.type.description, hint: remedy(for: value, parameter))
    }
    if let handle = value.object(as: DecisionHandle.self) { throw handle.refused }
    throw fault(
      "wrong \(label())", expected: parameter.type.description, got: value.description,
      hint: remedy(for: value, parameter))
  }

  private func checkChoice(_ value: LuaValue, _ checked: Checked, label: @autoclosure () -> String) throws {
    guard let choices = checked.parameter.choices, let text = value.string, !choices.contains(text) else { return }
    throw fault(
      "wrong \(label())", expected: "one of " + choices.joined(separator: ", "), got: value.description,
      hint: Suggestion.nearest(to: text, among: choices).map { "Did you mean '\($0)'?" })
  }

  private func checkRange(_ value: LuaValue, _ checked: Checked, label: @autoclosure () -> String) throws {
    guard let number = value.number else { return }
    let parameter = checked.parameter
    if number.isNaN { throw fault("wrong \(label())", expected: parameter.type.description, got: "NaN") }
    if parameter.minimum != nil, !number.isFinite {
      throw fault("wrong \(label())", expected: "a finite number", got: Self.text(number))
    }
    if let minimum = parameter.minimum, !(number >= minimum) {
      throw fault("wrong \(label())", expected: "at least \(Self.text(minimum))", got: Self.text(number))
    }
    if let maximum = parameter.maximum, !(number <= maximum) {
      throw fault("wrong \(label())", expected: "at most \(Self.text(maximum))", got: Self.text(number))
    }
  }

  private static func text(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }

  private func fault(_ message: String, expected: String? = nil, got: String? = nil, hint: String? = nil) -> Fault {
    Fault(.recipe, "\(declaration.name): \(message)", expected: expected, got: got, hint: hint)
  }
}
