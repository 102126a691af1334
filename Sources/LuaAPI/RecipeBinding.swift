import Canonical
import Diagnostics
import Foundation
import LuaHost
import RunStore

/// The run as scripts see it: `nas.run.folder`, `nas.run.id`, `nas.run.seed`, `nas.run.recipe_folder`.
final class RunObject: LuaObject {
  static let luaName = "Run"
  unowned let session: Session
  init(session: Session) { self.session = session }
}

/// Ends a recipe once its settings are known.
let settingsListed = LuaSignalToken("settings")

/// `nas.args`, `nas.run`, `nas.stream`, `nas.fail`: what a recipe has of its own run.
struct RecipeBinding {
  let api: API
  let session: Session

  private static let classDeclaration = ClassDeclaration(
    "Run", object: "run",
    """
    This run, as nas.run.
    """,
    fields: [
      Parameter("folder", "string", "the path of its folder"),
      Parameter("id", "string", "its name among the runs"),
      Parameter("seed", "integer", "of all random streams"),
    ])

  func declare() throws -> [(Declaration, API.Body)] {
    api.declare(Self.classDeclaration)
    api.declare(ValueDeclaration("nas.run", "Run", "This run: its folder, id and seed."))
    try api.host.declare(
      RunObject.self,
      metamethods: [
        .index: { [session] call in
          switch call.string(2) ?? "" {
          case "folder": call.push(try session.startedRun().folder.path(percentEncoded: false))
          case "id": call.push(try session.startedRun().identity.id)
          case "recipe_folder": call.push(session.options.recipe.folder)
          case "seed": call.push(Int(clamping: session.seed))
          case let name:
            throw Fault(
              .recipe, "nas.run has no '\(name)'",
              hint: Suggestion.hint(for: name, among: ["folder", "id", "seed", "recipe_folder"]))
          }
        }
      ])
    return [
      (Self.arguments, arguments), (Self.stream, stream), (Self.fail, fail),
      CheckpointBinding(session: session).function,
    ]
  }

  private static let arguments = Declaration(
    "nas.args",
    """
    The recipe's settings: names with defaults, which also give the types. `--set name=value` changes one. Returns the
    settings as a table. Call it once, before anything else.
    """,
    [Parameter("defaults", "table", "names with a number, a text or a boolean each")],
    returns: "table<string, any> # the settings by name")

  private func arguments(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    guard session.arguments == nil else {
      throw Fault(
        .recipe, "nas.args was called twice", hint: "Put all settings into one call at the top of the recipe.")
    }
    var defaults: [String: JSONValue] = [:]
    for (key, value) in arguments[0].table?.pairs ?? [] {
      guard let name = key.string, value.string != nil || value.number != nil || value.bool != nil else {
        throw Fault(
          .recipe, "nas.args: wrong default of '\(key.string ?? key.description)'",
          expected: "a number, a text or a boolean", got: value.description)
      }
      defaults[name] = try LuaValues.json(value)
    }
    if session.options.listsSettings {
      session.arguments = defaults
      throw LuaSignal(settingsListed, reason: "")
    }
    let values = try RecipeArguments.resolve(defaults: defaults, given: session.options.settings)
    session.arguments = values
    try call.push(JSONValue.object(values))
  }

  private static let stream = Declaration(
    "nas.stream", "The random stream of that name: its numbers depend on the run's seed and the name alone.",
    [Parameter("name", "string", "any text; equal names give the same stream")], returns: "Stream")

  private func stream(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    try call.push(session.stream("recipe/" + arguments.text(0)))
  }

  private static let fail = Declaration(
    "nas.fail",
    """
    Ends the recipe, or the trial, with an error at the caller's line: a message, or a table { message, expected, got,
    hint, path }.
    """,
    [Parameter("message", "string|table", "what went wrong, or { message =, expected =, got =, hint = }")],
    returns: "nothing # it never returns")

  private func fail(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    guard let table = arguments[0].table else { throw Fault(.recipe, arguments.text(0)) }
    throw Fault(
      .recipe, table["message"].string ?? "", path: table["path"].string, expected: table["expected"].string,
      got: table["got"].string, hint: table["hint"].string, cause: table["cause"].string)
  }
}
