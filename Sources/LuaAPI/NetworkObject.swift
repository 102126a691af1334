import Canonical
import Datasets
import Evaluation
import LuaHost
import NeuralNet

/// What a network is made for: the shape of its input and its classes.
struct NetworkTask {
  let imageShape: [Int]
  let classNames: [String]
  let kind: String
  let normalisation: Normalisation
  /// Where the inputs come from, for a table; nil for images.
  let columns: [TableRows.Input]?
  /// The data that it is made for and how they were opened; null without data.
  let data: JSONValue

  init(_ data: DataObject) {
    let dataset = data.dataset
    (imageShape, classNames, kind) = (dataset.imageShape, dataset.classNames, dataset.kind)
    normalisation = dataset.normalisation
    columns = dataset.train.set.table?.inputs
    self.data = .object(data.description)
  }

  /// A task without data: classes are called by their numbers.
  init(input: [Int], classes: Int) {
    (imageShape, classNames, kind) = (input, (1...classes).map(String.init), "classification")
    normalisation = Normalisation(identityFor: input.last ?? 1)
    columns = nil
    data = .null
  }
}

/// A stand-alone network as scripts hold it: the graph, its weights, and the chain of what was done to them.
final class NetworkObject: LuaObject {
  static let luaName = "Network"
  let graph: Graph
  let weights: Weights
  let arch: ArchitectureObject
  let task: NetworkTask
  /// How its input was normalised when it was last trained; else as for the data's training part.
  var normalisation: Normalisation
  /// The trainings that it went through, oldest first: the data and how they were opened, the split, the options.
  private(set) var trainings: [JSONValue] = []
  /// The last scoring: the split and the scores.
  var lastScore: JSONValue?
  /// What was saved with a network of a file about its input; nil once it is trained on other data.
  var storedPreprocessing: JSONValue?
  /// The name of its random streams.
  let stream: String
  /// Digest of (previous version, operation, inputs): equal versions have equal weights.
  private(set) var version: String
  /// The version of the weights as they were drawn.
  private let firstVersion: String
  /// Whether nothing has trained or loaded the weights.
  var hasFirstWeights: Bool { version == firstVersion }
  /// Where its last training stopped; nil when there was none, or when something else changed the weights since.
  private(set) var training: Training?
  /// Whether the next fit goes on from there.
  var goesOn = false

  /// A training that may go on.
  struct Training {
    let state: TrainingState
    /// Epochs done.
    let epochs: Int
  }

  var nativeBytes: Int { weights.byteCount }

  init(
    _ graph: Graph, _ weights: Weights, arch: ArchitectureObject, task: NetworkTask, stream: String, seed: UInt64,
    scheme: WeightScheme = .standard
  ) {
    self.task = task
    normalisation = task.normalisation
    self.graph = graph
    self.weights = weights
    self.arch = arch
    self.stream = stream
    let start = ContentDigest.of(graph.digest, stream, String(seed))
    firstVersion = scheme == .standard ? start : ContentDigest.of(start, scheme.rawValue)
    version = firstVersion
  }

  /// The version after an operation with these inputs.
  func version(after operation: JSONValue) -> String { ContentDigest.of(version, operation.text()) }

  /// Takes the version that the weights now have; `training` is how they came about, where that may go on.
  func advance(to version: String, training: Training? = nil) {
    self.version = version
    self.training = training
    // A score is of the weights as they were.
    lastScore = nil
    goesOn = false
  }

  /// Notes a training that the weights now hold.
  func note(training: TrainingRecipe, on data: DataObject, split: String) {
    trainings.append(
      .object(data.description.merging(["split": .string(split), "options": training.json]) { $1 }))
    storedPreprocessing = nil
  }
}
