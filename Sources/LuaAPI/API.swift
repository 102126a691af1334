import Canonical
import Diagnostics
import LuaHost

/// The registry of everything a recipe can call: each function is declared once, and that declaration checks its calls.
final class API {
  /// The body of a declared function: checked arguments in, results pushed onto the call.
  typealias Body = (Arguments, borrowing LuaCall) throws -> Void

  let host: LuaHost
  /// In the order of registration; a Lua function refers to its own by position.
  private(set) var declarations: [Declaration] = []

  init(host: LuaHost) {
    self.host = host
    declare(Self.declare)
  }

  /// The host function of a declaration: checks, then runs `body`.
  func function(_ declaration: Declaration, _ body: @escaping Body) -> LuaFunction {
    declarations.append(declaration)
    let check = ArgumentCheck(declaration: declaration, host: host)
    return { call in try body(try check.check(call.values()), call) }
  }

  /// Declares a function that checks its own arguments (the layers of the op table do).
  func declare(_ declaration: Declaration) { declarations.append(declaration) }

  /// Declared functions as the fields of a table, under the last part of their names.
  func table(_ functions: [(Declaration, Body)]) throws -> LuaValue {
    var fields: [String: LuaValue] = [:]
    for (declaration, body) in functions {
      fields[Self.leaf(declaration.name)] = host.function(declaration.name, function(declaration, body))
    }
    return try host.table(fields)
  }

  /// Declared methods of a class, under the last part of their names.
  func methods(_ functions: [(Declaration, Body)]) -> [String: LuaFunction] {
    Dictionary(functions.map { (Self.leaf($0.name), function($0, $1)) }) { first, _ in first }
  }

  /// The metamethod for a name that a class doesn't have: an error with the nearest of its methods.
  static func unknownName(of type: String, _ functions: [(Declaration, Body)]) -> LuaFunction {
    let names = functions.map { leaf($0.0.name) }
    return { call in
      let name = call.string(2) ?? call.value(2).description
      throw Fault(.recipe, "a \(type) has no '\(name)'", hint: Suggestion.hint(for: name, among: names))
    }
  }

  static func leaf(_ name: String) -> String {
    String(name.split(whereSeparator: { $0 == "." || $0 == ":" }).last ?? "")
  }

  // MARK: - Functions declared in Lua

  /// What `nas/declare.lua` adds to the API.
  static let declare = Declaration(
    "nas.declare",
    """
    Returns `fn` behind argument checks, as the functions of nasrun have them. The declaration lists the positional
    parameters, { name, type, doc =, default =, optional =, min =, max =, one_of = } each, then `options` in the same
    form for a last table of named options, `doc`, and `source` for the paper.
    """,
    [Parameter("name", "string"), Parameter("declaration", "table"), Parameter("fn", "function")],
    returns: "a function")

  /// `core.register(name, declaration)`, `core.check(id, …)` and `core.checked(check, id, fn)`, on which `core.declare` is
  /// built.
  func declarationFunctions() -> [String: LuaFunction] {
    [
      "register": { [self] call in
        let name = call.string(1) ?? "?"
        guard let table = call.table(2) else { throw call.wrong(2, expected: "a declaration") }
        declarations.append(try Self.declaration(name, table))
        call.push(declarations.count - 1)
      },
      "check": { [self] call in
        guard let id = call.integer(1), declarations.indices.contains(id) else {
          throw call.wrong(1, expected: "the id of a declaration")
        }
        let declaration = declarations[id]
        let arguments = try ArgumentCheck(declaration: declaration, host: host).check(call.values(from: 2))
        try call.push(try arguments.passedOn(hasOptions: declaration.options != nil, host: host))
      },
      "checked": { [host] call in
        guard let check = call.function(1), let id = call.integer(2), let function = call.function(3) else {
          throw call.wrong(1, expected: "a check, the id of a declaration and a function")
        }
        try call.push(try host.checked(function, by: check, id: id))
      },
    ]
  }

  /// A declaration from its Lua form: parameters in the list part, `options`, `doc`, `source`, `context` by name.
  private static func declaration(_ name: String, _ table: LuaReference) throws -> Declaration {
    Declaration(
      name, table["doc"].string ?? "", context: table["context"].string ?? "recipe", source: table["source"].string,
      try table.array.map { try parameter($0, of: name) },
      options: try table["options"].table.map { try $0.array.map { try parameter($0, of: name) } },
      returns: table["returns"].string ?? "")
  }

  /// `{ "epochs", "integer", min = 1, default = 3, doc = "…" }`.
  private static func parameter(_ value: LuaValue, of function: String) throws -> Parameter {
    guard let table = value.table, let name = table[1].string, let type = table[2].string else {
      throw Fault(.internal, "wrong declaration of \(function)", expected: "{ name, type, … }", got: value.description)
    }
    var standard: JSONValue?
    if !table["default"].isNil { standard = try LuaValues.json(table["default"]) }
    return Parameter(
      name, ArgumentType(type), optional: table["optional"].bool ?? false, default: standard,
      min: table["min"].number, max: table["max"].number,
      oneOf: table["one_of"].table?.array.compactMap(\.string), table["doc"].string ?? "")
  }
}
