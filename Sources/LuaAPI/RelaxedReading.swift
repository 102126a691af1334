import Canonical
import Datasets
import Diagnostics
import Evaluation
import LuaHost
import NeuralNet
import TensorCore

/// What a relaxed network answers: `net:logits` and `net:evaluate`.
struct RelaxedReading {
  let session: Session

  var methods: [(Declaration, API.Body)] { [(Self.logitsDeclaration, logits), (Self.evaluateDeclaration, evaluate)] }

  private static let this = Parameter("net", "Relaxed", "the relaxed network")

  private static let logitsDeclaration = Declaration(
    "net:logits",
    """
    The outputs of the mixture on a batch, [N, classes], as a Tensor: for a loss of one's own, such as
    nn.kl_divergence with a teacher's outputs.
    """,
    [this, Parameter("batch", "Batch", "from data:batches")], returns: "Tensor")

  private func logits(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let net = try arguments.object(0, as: RelaxedObject.self), batch = try arguments.object(1, as: BatchObject.self)
    try call.push(try net.logits(batch, session))
  }

  private static let evaluateDeclaration = Declaration(
    "net:evaluate",
    """
    Scores the mixture on a split: accuracy, balanced_accuracy and macro_f1 in per cent, and loss. Batch norm takes the
    batch's own statistics, so only full batches count.
    """,
    source: "Liu et al. 2019 (DARTS), section 3.1",
    [this, Parameter("data", "Data", "what nas.relax was given, or alike")],
    options: [
      Parameter("split", "string", default: "valid", "train, valid or test"),
      Parameter("batch", "integer", default: 128, min: 1, "samples in a batch"),
      Parameter("batches", "integer", optional: true, min: 1, "score so many batches; all by default"),
    ], returns: "table # metrics by name")

  private func evaluate(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let net = try arguments.object(0, as: RelaxedObject.self), data = try arguments.object(1, as: DataObject.self)
    let split = try data.split(arguments.text("split")), host = session.host
    try Trainer.check(inputOf: net.graph, for: split.images)
    let plan = try InferencePlan(
      net.graph, batch: min(arguments.integer("batch"), split.images.count), batchNorm: .batch(updating: false),
      compute: session.compute)
    let weights = try Weights(net.graph, random: RandomSource(seed: 0, name: "relaxed/evaluate"))
    for tensor in net.tensors { try weights.set(tensor.name ?? "", tensor.values) }
    let scores = try Scorer(compute: session.compute) { host.isCancelled }.score(
      plan, weights, on: split.images, normalisation: split.normalisation, limit: arguments["batches"].integer)
    try call.push(JSONValue.object(scores.mapValues(JSONValue.number)))
  }
}

extension RelaxedObject {
  /// The outputs of the mixture on a batch.
  func logits(_ batch: BatchObject, _ session: Session) throws -> Tensor {
    try batch.check(fits: data.dataset)
    let images = try Tensor([batch.count] + data.dataset.imageShape, batch.images)
    return try function(batch: batch.count, compute: session.compute)(
      [images], parameters: tensors, on: try session.tape())
  }
}
