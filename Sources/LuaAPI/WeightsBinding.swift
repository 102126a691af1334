import Canonical
import Datasets
import Diagnostics
import Evaluation
import Exchange
import Foundation
import LuaHost
import NeuralNet
import RunStore
import SearchCore
import TensorCore

/// Shared weights as scripts hold them.
final class WeightsObject: LuaObject {
  static let luaName = "Weights"
  let space: SpaceObject
  let supernet: Supernet
  let optimiser: SGD
  let labelSmoothing: Double
  let stream: String
  let state: VersionedState
  private var teacher: TeachingNetwork?
  private var isWarned = false
  var nativeBytes: Int { 2 * supernet.shared.weights.byteCount }
  var orderKey: String? { state.version }

  init(
    _ space: SpaceObject, _ supernet: Supernet, optimiser: SGD, labelSmoothing: Double, stream: String,
    state: VersionedState
  ) {
    (self.space, self.supernet, self.optimiser) = (space, supernet, optimiser)
    (self.labelSmoothing, self.stream, self.state) = (labelSmoothing, stream, state)
  }

  /// Tells once of a loss that is no number: what follows is lost.
  func warn(of loss: Double, in function: String, _ session: Session) {
    guard !loss.isFinite, !isWarned else { return }
    isWarned = true
    session.warn("\(function): the loss is \(loss): the training diverged; lower lr, or stop when this happens")
  }

  /// A network as a teacher; its copy is kept as long as it doesn't change.
  func teaching(_ network: NetworkObject) throws -> TeachingNetwork {
    if let teacher, teacher.version == network.version { return teacher }
    let copy = try TeachingNetwork(network)
    teacher = copy
    return copy
  }

  /// The architecture of an argument, which must be of this space.
  func architecture(_ object: ArchitectureObject) throws -> Architecture {
    object.definition === space.definition ? object.architecture : try space.space.adopt(object.architecture)
  }
}

/// `nas.weights` and its methods: one set of weights for all architectures of a space (Pham et al. 2018; Guo et al. 2020,
/// "Single Path One-Shot").
struct WeightsBinding {
  let api: API
  let session: Session

  private static let this = Parameter("weights", "Weights")
  private static let arch = Parameter("arch", "Architecture", "of the space, or of one equal to it")

  private static let classDeclaration = ClassDeclaration(
    "Weights", object: "weights",
    """
    Weights that all architectures of a space share, with the state of their training.
    """,
    fields: [
      Parameter("version", "string", "the digest of everything that made them what they are"),
      Parameter("steps", "integer", "updates so far"),
      Parameter("params", "integer", "trained parameters"),
      Parameter("paths", "string[]", "of the parameters"),
      Parameter("open", "string[]", "the decisions that stay open in the one network"),
    ])

  /// Declares the class; returns the function `nas.weights`.
  func declare() throws -> [(Declaration, API.Body)] {
    let methods: [(Declaration, API.Body)] = [
      (Self.stepDeclaration, step), (Self.accumulateDeclaration, accumulate), (Self.applyDeclaration, apply),
      (Self.fitDeclaration, fit), (Self.evaluateDeclaration, evaluate), (Self.networkDeclaration, network),
      (Self.reorderDeclaration, reorder), (Self.saveDeclaration, save), WeightLoading(session: session).ofShared,
    ]
    api.declare(Self.classDeclaration)
    try api.host.declare(
      WeightsObject.self, methods: api.methods(methods),
      metamethods: [
        .index: { call in
          let weights = try call.this(WeightsObject.self), name = call.string(2) ?? call.value(2).description
          switch name {
          case "version": call.push(weights.state.version)
          case "steps": call.push(weights.state.steps)
          case "params": call.push(weights.supernet.shared.weights.trainedCount)
          case "paths": try call.push(JSONValue.array(weights.supernet.shared.weights.paths.map(JSONValue.string)))
          case "open": try call.push(JSONValue.array(weights.supernet.open.sorted().map(JSONValue.string)))
          default:
            let known = ["version", "steps", "params", "paths", "open"] + methods.map { API.leaf($0.0.name) }
            throw Fault(.recipe, "Weights have no '\(name)'", hint: Suggestion.hint(for: name, among: known))
          }
        },
        .text: { call in
          let weights = try call.this(WeightsObject.self)
          call.push("Weights(\(weights.supernet.shared.weights.trainedCount) shared, \(weights.state.steps) steps)")
        },
      ])
    return [(Self.declaration, make)]
  }

  // MARK: - nas.weights

  private static let declaration = Declaration(
    "nas.weights",
    """
    Weights that all architectures of a space share. Decisions that build gives to nn.choice alone make paths of one
    network; a smaller size takes the leading channels, the centre of a kernel, the first layers. So after a concatenation of
    inputs of open widths a narrow path reads the leading rows of what follows, whichever input they were trained for:
    give each input a layer of its own and add, where that matters. Parameters off the path
    get no update, no momentum and no decay. Running statistics are not trained: see weights:evaluate.
    """,
    source: "Guo et al. 2020 (SPOS); Cai et al. 2020 (once-for-all), section 3.3",
    [Parameter("space", "Space", "with a build that gives its decisions to nn.choice")],
    options: [
      Parameter("data", "Data", "gives the input's shape and the classes")
    ] + TrainingOptions.descent + [
      Parameter("ema", "number", default: 0, min: 0, max: 1, "decay of an average of the weights; 0: none is kept"),
      Parameter(
        "share", "function", optional: true,
        "function(full, shape, path) → Value of that shape, made of the whole parameter with nas.nn, in place of its "
          + "leading part; arrays of its own are nn.parameter"),
      Parameter("stream", "string", default: "weights", "the name of the random streams"),
    ],
    returns: "Weights")

  private func make(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let space = try arguments.object(0, as: SpaceObject.self), stream = arguments.text("stream")
    guard let data = arguments["data"].object(as: DataObject.self) else { return }
    try session.beginWork()
    let random = RandomSource(seed: session.seed, name: stream), average = arguments.number("ema")
    let share = arguments["share"].function
    let supernet = try Supernet(
      space.definition, data: data, share: share, precision: TrainingOptions.precision(arguments), random: random)
    if average > 0 { try supernet.shared.keepAverage(decay: average) }
    let shared = supernet.shared, session = session
    let options = JSONValue.object(arguments.options.compactMapValues { try? LuaValues.json($0) })
    let start = ContentDigest.of([
      "weights": .string(shared.weights.digest), "seed": .string(String(session.seed)), "options": options,
      "share": try share.map { .string(try session.digest(of: $0)) } ?? .null,
    ])
    let state = VersionedState(
      session: session, version: start, save: { try session.save(shared.snapshot(), version: $0) },
      load: { try shared.restore(try session.snapshot(version: $0)) })
    try call.push(
      WeightsObject(
        space, supernet, optimiser: try TrainingOptions.optimiser(arguments),
        labelSmoothing: arguments.number("label_smoothing"), stream: stream, state: state))
  }

  // MARK: - Steps

  private static let stepDeclaration = Declaration(
    "weights:step", "One step of training of an architecture's path on a batch; returns the loss before the step.",
    source: "distillation: Hinton et al. 2015; Cai et al. 2020, section 3.3; Yu et al. 2020 (BigNAS), section 3.1",
    [this, arch, Parameter("batch", "Batch", "from data:batches")],
    options: [Parameter("lr", "number", min: 0, "the learning rate")] + Distillation.options,
    returns: "number # the loss before the step")

  private func step(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self), batch = try arguments.object(2, as: BatchObject.self)
    let architecture = try weights.architecture(try arguments.object(1)), rate = arguments.number("lr")
    let distillation = try Distillation(arguments, of: weights)
    let operation: JSONValue = [
      "step": .string(architecture.canonicalText), "batch": .string(batch.key), "lr": .number(rate),
      "distillation": distillation?.key ?? .null,
    ]
    let loss = try weights.state.change(kind: "step", operation, label: "weights:step") {
      let (member, plan) = try weights.plan(architecture, batch, distillation)
      return .number(
        Double(try weights.supernet.shared.step(member.network, plan, weights.optimiser, learningRate: rate)))
    }
    weights.warn(of: loss.double ?? .nan, in: "weights:step", session)
    call.push(loss.double ?? .nan)
  }

  private static let accumulateDeclaration = Declaration(
    "weights:accumulate", "Adds the gradients of a path on a batch to those that weights:apply will use.",
    source: "Chu et al. 2021 (FairNAS): one update from several paths; Yu et al. 2020 (BigNAS): the sandwich rule",
    [this, arch, Parameter("batch", "Batch", "from data:batches")], options: Distillation.options,
    returns: "number # the loss before the step")

  private func accumulate(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self), batch = try arguments.object(2, as: BatchObject.self)
    let architecture = try weights.architecture(try arguments.object(1))
    let distillation = try Distillation(arguments, of: weights)
    let operation: JSONValue = [
      "accumulate": .string(architecture.canonicalText), "batch": .string(batch.key),
      "distillation": distillation?.key ?? .null,
    ]
    let loss = try weights.state.change(kind: "step", operation, label: "weights:accumulate") {
      let (member, plan) = try weights.plan(architecture, batch, distillation)
      return .number(Double(try weights.supernet.shared.accumulate(member.network, plan)))
    }
    weights.warn(of: loss.double ?? .nan, in: "weights:accumulate", session)
    call.push(loss.double ?? .nan)
  }

  private static let applyDeclaration = Declaration(
    "weights:apply", "One update by the gradients that weights:accumulate added up, divided by `count`.", [this],
    options: [
      Parameter("lr", "number", min: 0, "the learning rate"),
      Parameter(
        "count", "integer", default: 1, min: 1,
        "what the gradients are divided by: how often weights:accumulate was called"),
    ], returns: "nothing")

  private func apply(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self), rate = arguments.number("lr")
    let count = arguments.integer("count")
    _ = try weights.state.change(
      kind: "step", ["apply": .int(count), "lr": .number(rate)], label: "weights:apply"
    ) {
      try weights.supernet.shared.apply(weights.optimiser, learningRate: rate, dividingBy: count)
      return .null
    }
  }

  // MARK: - fit

  private static let fitDeclaration = Declaration(
    "weights:fit",
    """
    Trains the shared weights, one path per batch: a random one, or what `paths(step)` returns. One effect, with a
    checkpoint at its end. The optimiser is that of nas.weights.
    """,
    source: "Guo et al. 2020, section 3.2", [this],
    options: [
      Parameter("split", "string", default: "train", "train, valid, test or train+valid"),
      Parameter("epochs", "integer", min: 1, "how often to go through the split"),
    ] + TrainingOptions.course + [
      Parameter("paths", "function", optional: true, "function(step) → Architecture, step from 1"),
      Parameter("on_epoch", "function", optional: true, "function(epoch, { train_loss, lr })"),
    ], returns: "nothing")

  private func fit(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self)
    let split = try weights.supernet.data.split(arguments.text("split"))
    let recipe = try TrainingOptions.recipe(
      arguments, optimiser: weights.optimiser, labelSmoothing: weights.labelSmoothing)
    let paths = arguments["paths"].function, onEpoch = arguments["on_epoch"].function
    let operation: JSONValue = [
      "fit": recipe.json, "data": .string(split.digest),
      "paths": try paths.map { .string(try session.digest(of: $0)) } ?? "uniform",
    ]
    let training = SupernetTraining(session: session, weights: weights, paths: paths)
    _ = try weights.state.change(kind: "fit", operation, label: "weights:fit", isCheckpoint: true) {
      try training.run(recipe, on: split.images, normalisation: split.normalisation, onEpoch: onEpoch)
      return ["weights": .string(weights.supernet.shared.weights.digest)]
    }
  }

  // MARK: - Reading

  private static let evaluateDeclaration = Declaration(
    "weights:evaluate",
    """
    Scores an architecture's path with the shared weights: accuracy, balanced_accuracy, macro_f1 in per cent, and loss.
    Batch norm takes the batch's own statistics ("batch"), or running ones gathered anew for this path on `recalibrate`
    batches of the training part ("recalibrate"), or those that are stored ("running"; never trained by steps).
    """,
    context: "evaluator or recipe", source: "Guo et al. 2020, section 3.3 (recalibration)", [this, arch],
    options: [
      Parameter("split", "string", default: "valid", "train, valid, test or train+valid"),
      Parameter("batches", "integer", optional: true, min: 1, "score so many batches; all by default"),
      Parameter("batch", "integer", default: 128, min: 1, "samples at a time"),
      Parameter(
        "bn", "string", default: "recalibrate", oneOf: ["batch", "recalibrate", "running"],
        "what batch norm takes, see above"),
      Parameter("recalibrate", "integer", default: 10, min: 1, "batches to gather statistics on"),
      Parameter("ema", "boolean", default: false, "use the average of the weights"),
    ],
    returns: "table<string, number> # metrics by name")

  private func evaluate(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self)
    let architecture = try weights.architecture(try arguments.object(1))
    let split = try weights.supernet.data.split(arguments.text("split"))
    let options = JSONValue.object(arguments.options.compactMapValues { try? LuaValues.json($0) })
    let key = ContentDigest.of([
      "weights": .string(weights.state.version), "arch": .string(architecture.canonicalText),
      "split": .string(split.digest), "options": options, "numerics": session.compute.numerics,
    ])
    let effect = try session.effects.perform(
      kind: "evaluate", key: key, label: "evaluate a path on \(arguments.text("split"))"
    ) {
      try weights.state.compute()
      let scoring = PathScoring(session: session, weights: weights)
      let scores = try scoring.score(architecture, arguments, split.images, split.normalisation)
      return EffectOutcome(exact: .object(scores.mapValues(JSONValue.number)))
    }
    try call.push(JSONValue.object((effect.record.exact.object ?? [:]).mapValues { .number($0.double ?? .nan) }))
  }

  private static let networkDeclaration = Declaration(
    "weights:network",
    """
    The stand-alone network of an architecture with a copy of its part of the shared weights. With `recalibrate`, batch
    norm's running statistics are gathered for it as by weights:evaluate, whose score it then has.
    """,
    context: "evaluator or recipe", [this, arch],
    options: [
      Parameter("ema", "boolean", default: false, "take the average of the weights"),
      Parameter(
        "recalibrate", "integer", optional: true, min: 1,
        "batches to gather batch norm's statistics on; the stored ones by default"),
      Parameter("batch", "integer", default: 128, min: 1, "samples in each of them"),
    ], returns: "Network")

  private func network(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self),
      given = try arguments.object(1, as: ArchitectureObject.self)
    let architecture = try weights.architecture(given), data = weights.supernet.data
    let arch = weights.space.definition.object(for: architecture)
    try weights.state.compute()
    let graph = try arch.definition.graph(
      of: architecture, input: data.dataset.imageShape, classes: data.dataset.classNames.count)
    let own = try weights.supernet.copy(for: graph, of: architecture, averaged: arguments.flag("ema"))
    if let count = arguments["recalibrate"].integer {
      let batches = try CalibrationBatches(
        session, data.dataset, size: arguments.integer("batch"), count: count)
      try own.recalibrate(
        graph, batches: batches.count, size: batches.size, compute: session.compute, next: batches.pixels)
    }
    let network = NetworkObject(
      graph, own, arch: arch, task: NetworkTask(data), stream: weights.stream + "/network/" + arch.id,
      seed: session.seed)
    network.advance(to: ContentDigest.of(weights.state.version, arch.id, own.digest))
    try call.push(network)
  }

  private static let saveDeclaration = Declaration(
    "weights:save",
    "Writes the shared weights as safetensors into the run's folder, for weights:load; returns the path.",
    [this, Parameter("name", "string", "the file's name: letters, digits, '_' and '-'")], returns: "string")

  private func save(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self)
    try weights.state.compute()
    call.push(
      try session.save(weights.supernet.shared.weights.arrays, name: arguments.text(1), for: "weights:save"))
  }

  private static let reorderDeclaration = Declaration(
    "weights:reorder",
    """
    Puts the output channels of a layer in the order of falling scores, and whatever reads them alike: the function of
    the full network stays, and a narrower one keeps the channels that score highest.
    """,
    source: "Cai et al. 2020, section 3.3 (elastic width)",
    [
      this, Parameter("path", "string", "of the layer: block1/conv2d1"),
      Parameter("scores", "table", "one per channel"),
    ], returns: "nothing")

  private func reorder(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self), path = arguments.text(1)
    let scores = try (arguments[2].table?.array ?? []).enumerated().map { index, value in
      if let number = value.number, !number.isNaN { return number }
      throw Fault(
        .recipe, "weights:reorder: wrong score \(index + 1)", path: path, expected: "a number", got: value.description)
    }
    let graph = try weights.supernet.member(of: weights.space.space.largest).network.graph
    let flow = try ChannelFlow(of: path, in: graph)
    _ = try weights.state.change(
      kind: "step", ["reorder": .string(path), "scores": .array(scores.map(JSONValue.number))],
      label: "weights:reorder"
    ) {
      try weights.supernet.shared.reorder(producers: flow.producers, consumers: flow.consumers, scores: scores)
      return .null
    }
  }
}

extension WeightsObject {
  /// The plan of a path with a batch in it.
  fileprivate func plan(
    _ architecture: Architecture, _ batch: BatchObject, _ distillation: Distillation?
  ) throws -> (member: Supernet.Member, plan: TrainingPlan) {
    try batch.check(fits: supernet.data.dataset)
    let (member, plan) = try supernet.training(
      architecture, batch: batch.count, loss: distillation?.loss ?? .crossEntropy(labelSmoothing: labelSmoothing))
    if let distillation {
      // A path that teaches is run first: it may be on the same network.
      try distillation.fill(plan, batch, self)
    } else {
      try batch.labels.withUnsafeBufferPointer { try plan.setLabels($0) }
    }
    try batch.images.withUnsafeBufferPointer { try plan.setInput($0) }
    return (member, plan)
  }
}
