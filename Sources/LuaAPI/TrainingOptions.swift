import Canonical
import Datasets
import Diagnostics
import Evaluation
import LuaHost
import NeuralNet

/// The options of a training that a recipe gives, wherever it trains something.
enum TrainingOptions {
  /// Batch, learning rate, schedule and augmentation; the epochs are the caller's own.
  static let course = [
    Parameter("batch", "integer", default: 64, min: 1, "samples per step"),
    Parameter("lr", "number", default: 0.1, min: 0, "peak learning rate"),
    Parameter(
      "schedule", "string", default: "cosine", oneOf: TrainingRecipe.Course.allCases.map(\.rawValue),
      "the learning rate's course; cosine and step change it per epoch"),
    Parameter("warmup", "number", default: 0, min: 0, "epochs of a linear rise of the learning rate"),
    Parameter("augment", "table", default: [:], "{ flip = true, crop = pixels, cutout = pixels }"),
  ]

  /// Stochastic gradient descent with momentum, the smoothing of labels, and the precision.
  static let descent = [
    Parameter("momentum", "number", default: 0.9, min: 0, max: 1, "of SGD"),
    Parameter("nesterov", "boolean", default: true, "Nesterov's momentum"),
    Parameter("weight_decay", "number", default: 5e-4, min: 0, "times the weights, added to their gradients"),
    Parameter("decay_norm", "boolean", default: true, "also decay batch-norm parameters and biases"),
    Parameter("clip", "number", default: 0, min: 0, "largest global gradient norm; 0: no clipping"),
    Parameter("label_smoothing", "number", default: 0, min: 0, max: 1, "share of a target spread over all classes"),
    Parameter(
      "precision", "string", default: "fp32", oneOf: ExecutionMode.Precision.allCases.map(\.rawValue),
      "bf16: linear layers multiply numbers rounded to bfloat16, which takes less time; weights, sums and all scores "
        + "stay in fp32"),
  ]

  /// The checked options as a recipe of training. The optimiser is that of the same options unless given.
  static func recipe(
    _ arguments: Arguments, optimiser given: SGD? = nil, labelSmoothing: Double? = nil
  ) throws -> TrainingRecipe {
    try TrainingRecipe(
      epochs: arguments.integer("epochs"), batch: arguments.integer("batch"), learningRate: arguments.number("lr"),
      course: TrainingRecipe.Course(rawValue: arguments.text("schedule")) ?? .cosine,
      warmUp: arguments.number("warmup"), optimiser: try given ?? optimiser(arguments),
      labelSmoothing: labelSmoothing ?? arguments.number("label_smoothing"),
      augmentation: try augmentation(arguments["augment"].table), scheduleEpochs: arguments["schedule_epochs"].integer,
      precision: precision(arguments))
  }

  /// The precision of `descent`; single where that isn't among the options.
  static func precision(_ arguments: Arguments) -> ExecutionMode.Precision {
    arguments["precision"].string.flatMap(ExecutionMode.Precision.init) ?? .single
  }

  /// The checked options of `descent` as an optimiser.
  static func optimiser(_ arguments: Arguments) throws -> SGD {
    let clip = arguments.number("clip")
    return try SGD(
      momentum: arguments.number("momentum"),
      nesterov: arguments.flag("nesterov") && arguments.number("momentum") > 0,
      weightDecay: arguments.number("weight_decay"), undecayed: arguments.flag("decay_norm") ? [] : [.norm, .bias],
      clipNorm: clip > 0 ? clip : nil)
  }

  /// `{ flip = true, crop = pixels, cutout = pixels }`; nil for none.
  static func augmentation(_ table: LuaReference?) throws -> Augmentation {
    var augmentation = Augmentation.none
    for (key, value) in table?.pairs ?? [] {
      let name = key.string ?? key.description
      switch (name, value) {
      case ("flip", .bool(let flip)): augmentation.flip = flip
      case ("crop", _) where value.integer != nil: augmentation.crop = value.integer ?? 0
      case ("cutout", _) where value.integer != nil: augmentation.cutout = value.integer ?? 0
      default:
        throw Fault(
          .recipe, "wrong augmentation '\(name)'", expected: "{ flip = true, crop = pixels, cutout = pixels }",
          got: value.description)
      }
    }
    return augmentation
  }
}
