import Canonical
import Datasets
import Diagnostics
import Evaluation
import Foundation
import LuaHost
import NeuralNet
import RunStore
import TensorCore

/// The methods of `Network`: train, score, time and save a stand-alone network.
///
/// Inside a trial they are a part of it. Outside, each is an effect of its own: its result, and the weights after a fit,
/// are kept in the run.
struct NetworkBinding {
  let api: API
  let session: Session

  private static let this = Parameter("network", "Network")

  private static let classDeclaration = ClassDeclaration(
    "Network", object: "network",
    """
    A stand-alone network of an architecture: a graph with weights. Inside a trial its methods are a part of the trial;
    outside, each is recorded as an effect of its own.
    """,
    fields: [
      Parameter("params", "integer", "trained parameters"),
      Parameter("macs", "integer", "multiply-accumulates of one forward pass at batch 1"),
      Parameter("memory_bytes", "integer", "peak memory of inference at batch 1"),
      Parameter("arch", "Architecture", "that it was built from"),
      Parameter("digest", "string", "of the graph"),
      Parameter("input", "integer[]", "{ height, width, channels } of a sample"),
      Parameter("classes", "integer", "of the task"),
    ])

  /// Declares the class; returns the functions `nas.network` and `nas.load_network`.
  func declare() throws -> [(Declaration, API.Body)] {
    let fresh = FreshNetworks(session: session)
    api.declare(Self.classDeclaration)
    api.declare(ProbeBinding.classDeclaration)
    try api.host.declare(
      NetworkObject.self,
      methods: api.methods(
        [
          (Self.fitDeclaration, fit), (Self.evaluateDeclaration, evaluate), (Self.saveDeclaration, save),
          WeightLoading(session: session).ofNetwork, fresh.method, ProbeBinding(session: session).method,
        ] + LatencyBinding(session: session).methods),
      metamethods: [
        .index: { call in
          let network = try call.this(NetworkObject.self), name = call.string(2) ?? ""
          switch name {
          case "params": call.push(network.graph.parameterCount)
          case "macs": call.push(network.graph.macs)
          case "memory_bytes":
            call.push(try InferencePlan(network.graph, batch: 1, compute: session.compute).peakMemoryBytes)
          case "arch": try call.push(network.arch)
          case "digest": call.push(network.graph.digest)
          case "input": try call.push(JSONValue.array(network.task.imageShape.map(JSONValue.int)))
          case "classes": call.push(network.task.classNames.count)
          default:
            let known = [
              "params", "macs", "memory_bytes", "arch", "digest", "input", "classes", "fit", "evaluate", "latency",
              "parts", "part_latency", "save", "load", "fresh", "probe",
            ]
            throw Fault(.recipe, "a Network has no '\(name)'", hint: Suggestion.hint(for: name, among: known))
          }
        },
        .text: { call in
          let network = try call.this(NetworkObject.self)
          call.push("Network(\(network.graph.parameterCount) parameters, \(network.graph.macs) MACs)")
        },
      ])
    return [fresh.function, SavedModels(session: session).function]
  }

  // MARK: - fit

  private static let fitDeclaration = Declaration(
    "network:fit",
    """
    Trains the network in place with SGD. The defaults are NAS-Bench-201's. In a trial of search:continue, the first fit
    goes on from where the earlier trial stopped, up to `epochs` in all.
    """,
    context: "evaluator or recipe",
    source: "Dong & Yang, ICLR 2020, table 1", [this],
    options: [
      Parameter("data", "Data", "of the same shape and classes"),
      Parameter("split", "string", default: "train", "train, valid, test or train+valid"),
      Parameter("epochs", "integer", min: 1, "how often to go through the split"),
      Parameter(
        "schedule_epochs", "integer", optional: true, min: 1, "length of the schedule; epochs if left out"),
    ] + TrainingOptions.course + TrainingOptions.descent + [
      Parameter(
        "on_epoch", "function", optional: true, "function(epoch, { train_loss, lr }); false ends the training there")
    ], returns: "nothing")

  private func fit(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    guard let data = arguments["data"].object(as: DataObject.self) else { return }
    let split = try data.split(arguments.text("split"))
    let recipe = try TrainingOptions.recipe(arguments)
    let before = try trainingToGoOnWith(network, recipe)
    var operation: [String: JSONValue] = [
      "fit": recipe.json, "data": .string(split.digest), "numerics": session.compute.numerics,
    ]
    if let before { operation["after"] = .int(before.epochs) }
    var after = network.version(after: .object(operation))
    let onEpoch = arguments["on_epoch"].function
    let isPartOfTrial = session.effects.isNested
    var training: NetworkObject.Training?
    let effect = try session.effects.perform(kind: "fit", key: after, label: "fit \(recipe.epochs) epochs") {
      let state = try before?.state ?? TrainingState(network.weights)
      let done = try train(network, state, after: before?.epochs ?? 0, on: split, recipe: recipe, onEpoch: onEpoch)
      if isPartOfTrial {
        training = NetworkObject.Training(state: state, epochs: done)
      } else {
        try session.keep(network.weights, version: after)
      }
      var exact: [String: JSONValue] = ["weights": .string(network.weights.digest)]
      if done < recipe.epochs { exact["ended_after"] = .int(done) }
      return EffectOutcome(exact: .object(exact))
    }
    network.normalisation = split.normalisation
    network.note(training: recipe, on: data, split: arguments.text("split"))
    if effect.isReplayed { try session.restore(network.weights, version: after) }
    if let done = effect.record.exact["ended_after"] { after = ContentDigest.of(after, done.text()) }
    network.advance(to: after, training: training)
  }

  /// The training that a fit goes on with; nil when it begins one.
  private func trainingToGoOnWith(
    _ network: NetworkObject, _ recipe: TrainingRecipe
  ) throws -> NetworkObject.Training? {
    guard network.goesOn, let training = network.training else { return nil }
    guard recipe.epochs > training.epochs else {
      throw Fault(
        .recipe, "network:fit: the earlier trial trained that far already",
        expected: "more than epochs = \(training.epochs), all of them counted from the start",
        got: "epochs = \(recipe.epochs)")
    }
    return training
  }

  private func train(
    _ network: NetworkObject, _ state: TrainingState, after done: Int,
    on split: (images: ImageSelection, normalisation: Normalisation, digest: String),
    recipe: TrainingRecipe, onEpoch: LuaReference?
  ) throws -> Int {
    let host = session.host
    return try Trainer(compute: session.compute) { host.isCancelled }.train(
      network.graph, state, after: done, on: split.images, normalisation: split.normalisation, recipe: recipe,
      random: RandomSource(seed: session.seed, name: network.stream)
    ) { report in
      let metrics: JSONValue = ["train_loss": .number(report.loss), "lr": .number(report.learningRate)]
      // A trial fails by it; elsewhere nothing else would tell.
      if !report.loss.isFinite, session.effects.trialKey == nil {
        session.warnOnce("a training outside of a trial diverged: its loss is \(report.loss.withUnsignedNaN); lower lr")
      }
      return try onEpoch?([.integer(report.epoch), try host.value(metrics)]).first?.bool ?? true
    }
  }

  // MARK: - evaluate

  private static let evaluateDeclaration = Declaration(
    "network:evaluate",
    "Scores the network on a split: accuracy, balanced_accuracy, macro_f1 in per cent, and loss; of a regression: "
      + "rmse and mae in the target's units, r2, and loss.",
    context: "evaluator or recipe", [this, Parameter("data", "Data", "of the same shape and classes")],
    options: [
      Parameter("split", "string", default: "valid", "train, valid, test or train+valid"),
      Parameter(
        "batch", "integer", default: 128, min: 1,
        "samples at a time; running statistics are used, so it changes no score"),
    ],
    returns: "table<string, number> # metrics by name")

  private func evaluate(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    let split = try arguments.object(1, as: DataObject.self).split(arguments.text("split"))
    let key = ContentDigest.of(network.version, split.digest, session.compute.numerics.text())
    let effect = try session.effects.perform(
      kind: "evaluate", key: key, label: "evaluate on \(arguments.text("split"))"
    ) {
      let host = session.host
      let scores = try Scorer(compute: session.compute) { host.isCancelled }.score(
        network.graph, network.weights, on: split.images, normalisation: split.normalisation,
        batch: arguments.integer("batch"))
      return EffectOutcome(exact: .object(scores.mapValues(JSONValue.number)))
    }
    network.lastScore = ["split": .string(arguments.text("split")), "metrics": effect.record.exact]
    try call.push(JSONValue.object((effect.record.exact.object ?? [:]).mapValues { .number($0.double ?? .nan) }))
  }

  // MARK: - Saving

  private static let saveDeclaration = Declaration(
    "network:save",
    "Writes weights.safetensors and architecture.json into the run's models/<arch id>/; returns the folder.",
    context: "evaluator or recipe", [this],
    options: [
      Parameter("onnx", "boolean", default: false, "also write model.onnx, for other programs (opset 17)"),
      Parameter(
        "fold_batch_norm", "boolean", default: false,
        "in model.onnx, make batch norms part of the convolutions before them: for answers, not to train on"),
    ], returns: "string # the folder's path")

  private func save(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    let folds = arguments["fold_batch_norm"].bool ?? false, isONNX = arguments["onnx"].bool ?? false
    guard isONNX || !folds else {
      throw Fault(.recipe, "network:save: fold_batch_norm is about model.onnx", expected: "onnx = true beside it")
    }
    let folder = try session.saveModel(network, onnx: isONNX ? (folds ? .folded : .kept) : nil)
    call.push(folder.path(percentEncoded: false))
  }
}
