import Canonical
import Diagnostics
import Foundation
import LuaHost
import NeuralNet
import RunStore

/// Runs a recipe from its first line to its end, and leaves the run's record as it should be left.
public final class RecipeRunner {
  /// How a recipe ended, when it didn't end with a fault.
  public struct Outcome {
    /// The run's folder; nil when the recipe did nothing that is recorded.
    public let folder: URL?
    /// The run's id.
    public let id: String?
    /// The recipe's settings and their values; for `listsSettings` the defaults.
    public let settings: [String: JSONValue]
    /// What the harness returned; null without one.
    public let returned: JSONValue
  }

  private let session: Session
  private let api: API
  private var returned = JSONValue.null
  /// Everything that a recipe can call, the library's Lua functions once `nas` is loaded.
  public var declarations: [Declaration] { api.declarations }
  /// The classes of what a recipe holds.
  public var classes: [ClassDeclaration] { api.classes }
  /// The values of the API that are no functions.
  public var values: [ValueDeclaration] { api.values }
  /// For Ctrl-C: ends the recipe after the batch at work.
  public var cancellation: LuaCancellation { session.host.cancellation }
  /// The run's id, once there is one.
  public var runID: String? { session.run?.identity.id }
  /// The run's folder, once there is one.
  public var runFolder: URL? { session.run?.folder }
  /// The calls that led to the last error, innermost first.
  public var traceback: String { session.host.lastTraceback.description }

  public init(_ options: SessionOptions, observer: any RunObserver) throws {
    session = try Session(options, observer: observer)
    api = API(host: session.host)
    try bind()
  }

  deinit { session.host.close() }

  /// Runs the recipe on the calling thread, which needs a large stack (`LuaHost.onBigStack`).
  ///
  /// - Throws: the fault that ended it; what was recorded until then stays, and the run can be resumed.
  public func run() throws -> Outcome {
    do {
      guard session.options.recipe.text.contains(where: { !$0.isWhitespace }) else {
        throw Fault(
          .recipe, "the recipe is empty", at: session.options.recipe.file,
          hint: "'nasrun new' writes one to begin with.")
      }
      try runRecipe()
      session.removeUnusedRun()
      try session.keepModules()
      try session.run?.finish(.finished)
      if session.run != nil { try session.checkpoints().removeAll() }
      if session.options.reproducing != nil { throw Reproduction(session: session).notReached }
    } catch let signal as LuaSignal where signal.token === settingsListed || signal.token === trialReproduced {
      return outcome
    } catch {
      try? session.keepModules()
      try? session.lookups.flush()
      let fault = error as? Fault ?? Fault(.internal, String(describing: error))
      if fault.code != .interrupted { session.removeUnusedRun() }
      session.end(fault.code == .interrupted ? .interrupted : .failed, because: fault)
      throw fault
    }
    return outcome
  }

  private func runRecipe() throws {
    let host = session.host, recipe = session.options.recipe
    let harness = try session.options.harness.map { try HarnessModule($0, host) }
    let values = try host.run(recipe.text, chunkName: recipe.file)
    try session.checkSettings()
    if let harness { returned = try harness.run(values) }
  }

  private var outcome: Outcome {
    Outcome(
      folder: session.run?.folder, id: session.run?.identity.id, settings: session.arguments ?? [:], returned: returned)
  }

  /// Makes the modules `nas.core` and, through it, `nas`.
  private func bind() throws {
    let host = session.host
    try RandomBinding.declare(api)
    try ArchitectureBinding(api: api, session: session).declare()
    let functions =
      try NetworkBinding(api: api, session: session).declare() + SpaceNodes.declare(api)
      + SpaceBinding(api: api, session: session).declare()
      + RecipeBinding(api: api, session: session).declare()
      + WeightsBinding(api: api, session: session).declare()
      + TensorBinding(api: api, session: session).declare()
      + ModelBinding(api: api, session: session).declare()
    let data = try api.table(try DataBinding(api: api, session: session).declare())
    let build = BuildBinding(api: api, session: session)
    let choice = ChoiceBinding(api: api, session: session)
    let relaxed = RelaxedBinding(api: api, session: session)
    try choice.declare()
    try relaxed.declare()
    let recipeAPI = try api.table(functions)
    try recipeAPI.table?.set("data", to: data)
    try recipeAPI.table?.set("linalg", to: try LinalgBinding(api: api, session: session).declare())
    try recipeAPI.table?.set("optim", to: try OptimiserBinding(api: api, session: session).declare())
    try recipeAPI.table?.set("run", to: .userdata(RunObject(session: session)))

    let native = CoreBinding(api: api, session: session).functions()
      .merging(api.declarationFunctions()) { $1 }.merging(build.coreFunctions()) { $1 }
      .merging(choice.coreFunctions()) { $1 }.merging(relaxed.coreFunctions()) { $1 }
      .merging(SearchEffects(session: session).functions()) { $1 }
      .merging(RehearsalBinding(session: session).functions()) { $1 }
    var core = Dictionary(native.map { ($0, host.function("nas.core." + $0, $1)) }) { first, _ in first }
    core["public"] = recipeAPI
    core["fail"] = recipeAPI.table?["fail"]
    core["nn"] = try build.declare()
    core["catch"] = host.catchFunction()
    let table = try host.table(core)
    session.core = table.table
    host.provide("nas.core", table)
  }
}
