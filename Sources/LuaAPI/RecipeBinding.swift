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

  func declare() throws -> [(Declaration, API.Body)] {
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
    [Parameter("defaults", "table")])

  private func arguments(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    guard session.arguments == nil else { throw Fault(.recipe, "nas.args was called twice") }
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
    [Parameter("name", "string")], returns: "a Stream")

  private func stream(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    try call.push(session.stream("recipe/" + arguments.text(0)))
  }

  private static let fail = Declaration(
    "nas.fail",
    """
    Ends the recipe, or the trial, with an error at the caller's line: a message, or a table { message, expected, got,
    hint, path }.
    """,
    [Parameter("message", "string|table")])

  private func fail(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    guard let table = arguments[0].table else { throw Fault(.recipe, arguments.text(0)) }
    throw Fault(
      .recipe, table["message"].string ?? "", path: table["path"].string, expected: table["expected"].string,
      got: table["got"].string, hint: table["hint"].string, cause: table["cause"].string)
  }
}
