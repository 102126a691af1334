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
  /// For each declaration, the check of its calls.
  private(set) var checks: [ArgumentCheck] = []
  private(set) var classes: [ClassDeclaration] = []
  private(set) var values: [ValueDeclaration] = []

  init(host: LuaHost) {
    self.host = host
    declare(Self.declare)
  }

  /// The host function of a declaration: checks, then runs `body`.
  func function(_ declaration: Declaration, _ body: @escaping Body) -> LuaFunction {
    declare(declaration)
    let check = checks[checks.count - 1]
    return { call in try body(try check.check(call.values()), call) }
  }

  /// Declares a function that checks its own arguments (the layers of the op table do).
  func declare(_ declaration: Declaration) {
    declarations.append(declaration)
    checks.append(ArgumentCheck(declaration, host: host))
  }
  func declare(_ declaration: ClassDeclaration) { classes.append(declaration) }
  func declare(_ declaration: ValueDeclaration) { values.append(declaration) }

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
      throw Fault(.recipe, "\(withArticle(type)) has no '\(name)'", hint: Suggestion.hint(for: name, among: names))
    }
  }

  static func leaf(_ name: String) -> String {
    String(name.split(whereSeparator: { $0 == "." || $0 == ":" }).last ?? "")
  }
}
