import Canonical
import Diagnostics
import LuaHost

/// Functions, classes and values that are declared in Lua.
extension API {
  /// What `nas/declare.lua` adds to the API.
  static let declare = Declaration(
    "nas.declare",
    """
    Returns `fn` behind argument checks, as the functions of nasrun have them. The declaration lists the positional
    parameters, { name, type, doc =, default =, optional =, min =, max =, one_of = } each, then `options` in the same
    form for a last table of named options, `doc`, `returns` (the types, then "# " and what they are), `source` for the
    paper, `context` and `example`. A type is the name of a basic type or of a class, several joined by "|",
    "Tensor[]" for a list, or "fun(arch: Architecture): number".
    """,
    [
      Parameter("name", "string", "as it is called: `nas.strategies.mine`"),
      Parameter("declaration", "table", "see above"),
      Parameter("fn", "function", "gets the checked arguments, then the table of options with defaults filled in"),
    ],
    returns: "function",
    example: """
      return nas.declare("nas.strategies.climb", {
        doc = "Moves to a better neighbour until there is none.",
        options = { { "restarts", "integer", min = 0, default = 3, doc = "fresh starts" } },
        returns = "fun(search: Search)",
      }, function(options)
        return function(search) … end
      end)
      """)

  /// Pushes arguments as they are if they are objects, so many and no more; else pushes nothing.
  private static func pushObjects(_ call: borrowing LuaCall, from first: Int, count: Int) -> Bool {
    guard call.count == first + count - 1 else { return false }
    for index in first...call.count where !call.isObject(index) { return false }
    for index in first...call.count { call.pushArgument(index) }
    return true
  }

  /// On which `core.declare` and `core.declare_class` are built: `register(name, declaration)`, `check(id, …)`,
  /// `checked(check, id, fn)`, which is `fn` behind the check, `register_class(declaration)`,
  /// `register_value(declaration)`, and `members(object)`, the declared names of a class.
  func declarationFunctions() -> [String: LuaFunction] {
    [
      "register": { [self] call in
        let name = call.string(1) ?? "?"
        guard let table = call.table(2) else { throw call.wrong(2, expected: "a declaration") }
        declare(try declaration(name, table))
        call.push(declarations.count - 1)
      },
      "check": { [self] call in
        guard let id = call.integer(1), checks.indices.contains(id) else {
          throw call.wrong(1, expected: "the id of a declaration")
        }
        let check = checks[id]
        if check.objectsTaken > 0, Self.pushObjects(call, from: 2, count: check.objectsTaken) { return }
        let arguments = try check.check(call.values(from: 2))
        try call.push(try arguments.passedOn(hasOptions: check.takesOptions, host: host))
      },
      "checked": { [host] call in
        guard let check = call.function(1), let id = call.integer(2), let function = call.function(3) else {
          throw call.wrong(1, expected: "a check, the id of a declaration and a function")
        }
        try call.push(try host.checked(function, by: check, id: id))
      },
      "register_class": { [self] call in
        guard let table = call.table(1) else { throw call.wrong(1, expected: "a declaration") }
        declare(try Self.classDeclaration(table))
      },
      "members": { [self] call in
        let object = call.string(1) ?? ""
        let fields = classes.filter { $0.object == object }.flatMap(\.fields).map(\.name)
        let methods = declarations.filter { $0.isMethod && $0.family == object }.map(\.leaf)
        try call.push(JSONValue.array((fields + methods).map(JSONValue.string)))
      },
      "register_value": { [self] call in
        guard let table = call.table(1) else { throw call.wrong(1, expected: "a declaration") }
        declare(
          ValueDeclaration(
            table["name"].string ?? "?", ArgumentType(table["type"].string ?? "any"), table["doc"].string ?? "",
            source: table["source"].string))
      },
    ]
  }

  /// A declaration from its Lua form: parameters in the list part, the rest by name. The object of a method is of the
  /// class that the method's name names, whatever type stands there.
  private func declaration(_ name: String, _ table: LuaReference) throws -> Declaration {
    var declaration = Declaration(
      name, table["doc"].string ?? "", context: table["context"].string ?? "recipe", source: table["source"].string,
      try table.array.map { try Self.parameter($0, of: name) },
      options: try table["options"].table.map { try $0.array.map { try Self.parameter($0, of: name) } },
      returns: table["returns"].string ?? "", example: table["example"].string)
    if declaration.isMethod, !declaration.parameters.isEmpty,
      let owner = classes.first(where: { $0.object == declaration.family })
    {
      declaration.parameters[0].type = ArgumentType(owner.name)
    }
    return declaration
  }

  /// `{ name =, object =, doc =, operators =, fields = { { name, type, doc = }, … } }`.
  private static func classDeclaration(_ table: LuaReference) throws -> ClassDeclaration {
    let name = table["name"].string ?? "?"
    return ClassDeclaration(
      name, object: table["object"].string ?? name.lowercased(), table["doc"].string ?? "",
      fields: try (table["fields"].table?.array ?? []).map { try parameter($0, of: name) },
      operators: table["operators"].table?.array.compactMap(\.string) ?? [])
  }

  /// `{ "epochs", "integer", min = 1, default = 3, doc = "…" }`.
  private static func parameter(_ value: LuaValue, of function: String) throws -> Parameter {
    guard let table = value.table, let name = table[1].string, let type = table[2].string else {
      throw Fault(
        .recipe, "wrong declaration of \(function)", expected: "{ name, type, doc = … } for each parameter",
        got: value.description)
    }
    var standard: JSONValue?
    if !table["default"].isNil { standard = try LuaValues.json(table["default"]) }
    return Parameter(
      name, ArgumentType(type), optional: table["optional"].bool ?? false, default: standard,
      min: table["min"].number, max: table["max"].number,
      oneOf: table["one_of"].table?.array.compactMap(\.string), table["doc"].string ?? "")
  }
}
