import Canonical
import Datasets
import Diagnostics
import Exchange
import Foundation
import LuaHost
import RunStore
import TensorCore

/// Ends a recipe once the trial that is to be reproduced is.
let trialReproduced = LuaSignalToken("reproduction")

/// Computing one trial of a record once more, for the network that the run didn't keep.
///
/// The recipe runs with everything taken from the record, up to the trial; that one is computed, compared with what is
/// recorded, and its network kept in the run's folder. Then the recipe ends. So nothing is computed but the trial, and
/// what it closes over is as it was.
struct Reproduction {
  let session: Session

  /// Checks the result of the trial, keeps its network, and ends the recipe by a signal.
  func finish(_ exact: JSONValue, as recorded: EffectRecord) throws {
    guard exact.text() == recorded.exact.text() else {
      throw Fault(
        .data, "\(recorded.label) did not come out as it is recorded", expected: Self.metrics(recorded.exact),
        got: Self.metrics(exact), hint: "Something that it depends on and that no digest covers has changed.")
    }
    guard let network = session.trialNetwork else {
      throw Fault(
        .usage, "the evaluator of \(recorded.label) makes no network",
        expected: "an evaluator that trains trial:network(), or names its network by trial:keep(network)")
    }
    _ = try session.saveModel(network)
    throw LuaSignal(trialReproduced, reason: recorded.label)
  }

  /// Writes the network's graph into the run's folder and ends the recipe by a signal.
  func build(_ request: TrialRequest) throws {
    let arch = request.arch
    guard arch.definition.build != nil, let data = request.evaluator["data"].object(as: DataObject.self) else {
      throw Fault(
        .usage, "nobody knows the input of trial \(request.number)'s network",
        expected: "a space with build, and an evaluator with its data", got: "a trial without a network",
        hint: "nas.evaluator { data = …, run = … } says what its networks are for.")
    }
    let graph = try arch.definition.graph(
      of: arch.architecture, input: data.dataset.imageShape, classes: data.dataset.classNames.count,
      kind: data.dataset.kind)
    try graph.save(to: try session.startedRun().folder.appending(path: "graph.json").path(percentEncoded: false))
    throw LuaSignal(trialReproduced, reason: "trial \(request.number)")
  }

  private static func metrics(_ exact: JSONValue) -> String {
    exact["failed"]?.string ?? (exact["metrics"] ?? exact).text()
  }

  /// The recipe asks for something that the record doesn't have, before it came to the trial.
  func unrecorded(kind: String, label: String) -> Fault {
    let recorded = session.run?.identity.environment["numerics"] ?? .null
    let ours = session.compute.numerics
    if recorded != ours {
      return Fault(
        .usage, "this machine doesn't compute with the numerics of the run", expected: recorded.text(),
        got: ours.text(), hint: "Try --kernels base if the run did, or another machine.")
    }
    return Fault(
      .data, "the recipe asks for something that isn't in the record", path: kind, got: label,
      hint: "The data, the library or a file that it reads has changed since.")
  }

  /// The recipe came to its end without the trial.
  var notReached: Fault {
    Fault(
      .data, "the recipe didn't ask for the trial again", hint: "Something that it depends on has changed since.")
  }
}

extension SessionOptions {
  /// What goes on with a stored run, from its stored text and with its settings.
  public init(resuming run: Run, runs: URL) throws {
    let identity = run.identity
    self.init(
      recipe: RecipeSource(file: identity.recipe, folder: identity.recipeFolder, text: try run.recipeText()),
      runs: runs)
    resuming = run
    seed = identity.seed
    settings = (identity.arguments.object ?? [:]).sorted { $0.key < $1.key }.map { name, value in
      (name: name, value: value.string ?? value.text())
    }
    named = Set((identity.environment["named_settings"]?.array ?? []).compactMap(\.string))
    if let folder = identity.environment["folder"]?.string { workingFolder = folder }
  }
}
