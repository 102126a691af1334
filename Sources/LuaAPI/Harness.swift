import Canonical
import Diagnostics
import LuaHost
import RunStore

/// A module of the library that does something with a recipe's file, such as running the tests in it.
///
/// The module returns a table: `globals`, what the file may use besides the sandbox's own; `run(arguments, …)`, which
/// is called with what the file returned.
public struct Harness {
  /// The module's name, `nas.testing.file`.
  public var module: String
  /// What `run` is called with.
  public var arguments: JSONValue
  /// The file that `core.rehearse` runs when it isn't told another.
  public var subject: RecipeSource?
  /// Takes each result that the module tells by `core.test_result`, as it comes.
  public var onResult: (JSONValue) -> Void

  public init(
    _ module: String, _ arguments: JSONValue, subject: RecipeSource? = nil,
    onResult: @escaping (JSONValue) -> Void = { _ in }
  ) {
    (self.module, self.arguments, self.subject, self.onResult) = (module, arguments, subject, onResult)
  }
}

/// The harness in its VM.
struct HarnessModule {
  private let table: LuaReference
  private let arguments: LuaValue

  /// Loads the module and declares its globals.
  init(_ harness: Harness, _ host: LuaHost) throws {
    guard let table = try host.require(harness.module).table else {
      throw Fault(.internal, "the module '\(harness.module)' is no harness")
    }
    self.table = table
    arguments = try host.value(harness.arguments)
    for (name, value) in table["globals"].table?.pairs ?? [] { try host.setGlobal(name.string ?? "", to: value) }
  }

  /// Calls the module's `run` with what the file returned.
  func run(_ values: [LuaValue]) throws -> JSONValue {
    guard let run = table["run"].function else { throw Fault(.internal, "a harness without run") }
    return try LuaValues.json(try run([arguments] + values).first ?? .nil)
  }
}
