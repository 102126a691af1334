import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore
import TensorCore

/// A teacher in a step of shared weights: another path of theirs, a network, or logits that a script computed.
struct Distillation {
  /// Who teaches.
  private enum Teacher {
    case path(Architecture)
    case network(TeachingNetwork)
    case logits(Tensor)
  }

  private let teacher: Teacher
  private let labelWeight: Double
  private let teacherWeight: Double
  private let temperature: Double

  /// The options of a step that has a teacher.
  static let options = [
    Parameter(
      "teacher", "Architecture|Network|Tensor", optional: true,
      "whose soft labels to learn: a path of these weights (with the batch's statistics), a network, or logits [N, classes]"
    ),
    Parameter("teacher_weight", "number", default: 1, min: 0, "of the teacher's part of the loss"),
    Parameter("label_weight", "number", default: 1, min: 0, "of the labels' part where there is a teacher"),
    Parameter(
      "temperature", "number", default: 1, min: 0.01, "of the soft labels; their part is multiplied by its square"),
  ]

  /// The teacher among a step's options; nil where none is given.
  init?(_ arguments: Arguments, of weights: WeightsObject) throws {
    let given = arguments["teacher"]
    if let arch = given.object(as: ArchitectureObject.self) {
      teacher = .path(try weights.architecture(arch))
    } else if let network = given.object(as: NetworkObject.self) {
      teacher = .network(try weights.teaching(network))
    } else if let logits = given.object(as: Tensor.self) {
      teacher = .logits(logits)
    } else {
      return nil
    }
    (labelWeight, teacherWeight) = (arguments.number("label_weight"), arguments.number("teacher_weight"))
    temperature = arguments.number("temperature")
  }

  var loss: Loss { .distillation(temperature: temperature) }

  /// What tells this teacher from another.
  var key: JSONValue {
    let who: JSONValue =
      switch teacher {
      case .path(let architecture): ["path": .string(architecture.canonicalText)]
      case .network(let network): ["network": .string(network.version)]
      case .logits(let logits):
        ["logits": .string(ContentDigest.of(logits.values.map { String($0.bitPattern) }.joined(separator: " ")))]
      }
    return [
      "teacher": who, "label_weight": .number(labelWeight), "teacher_weight": .number(teacherWeight),
      "temperature": .number(temperature),
    ]
  }

  /// Writes the batch's distributions into a plan: the labels, smoothed, and the teacher's.
  func fill(_ plan: TrainingPlan, _ batch: BatchObject, _ weights: WeightsObject) throws {
    let classes = plan.classes, smoothing = weights.labelSmoothing / Double(classes)
    var labels = [Float](repeating: Float(labelWeight * smoothing), count: batch.count * classes)
    for (row, label) in batch.labels.enumerated() {
      labels[row * classes + Int(label)] = Float(labelWeight * (1 - weights.labelSmoothing + smoothing))
    }
    let logits = try logits(batch, weights)
    guard logits.count == batch.count * classes else {
      throw Fault(
        .recipe, "the teacher has another number of outputs", expected: "\(batch.count) × \(classes) logits",
        got: "\(logits.count) numbers", hint: "Teacher and student must have the same classes.")
    }
    let tape = try weights.space.definition.session.tape()
    try plan.setDistributions(labels: labels, teacher: try soften(logits, classes: classes, tape))
  }

  /// `weight · T² · softmax(logits / T)`, row by row.
  private func soften(_ logits: [Float], classes: Int, _ tape: Tape) throws -> [Float] {
    try tape.recording(false) {
      let given = try Tensor([logits.count / classes, classes], logits)
      let soft = try tape.apply("softmax", [try tape.scaled(given, by: Float(1 / temperature))])
      return try tape.scaled(soft, by: Float(teacherWeight * temperature * temperature)).values
    }
  }

  private func logits(_ batch: BatchObject, _ weights: WeightsObject) throws -> [Float] {
    switch teacher {
    case .logits(let tensor): return tensor.values
    case .path(let architecture):
      let (member, plan) = try weights.supernet.inference(
        architecture, batch: batch.count, batchNorm: .batch(updating: false))
      return try plan.run(batch.images, weights.supernet.shared.weights(for: member.network))
    case .network(let network):
      return try network.logits(batch, weights.space.definition.session.compute)
    }
  }
}

/// A network as it was when it taught: steps that wait to be computed again must not see what became of it.
final class TeachingNetwork {
  let version: String
  private let graph: Graph
  private let weights: Weights
  private var plan: InferencePlan?

  init(_ network: NetworkObject) throws {
    (version, graph) = (network.version, network.graph)
    weights = try network.weights.copy()
  }

  func logits(_ batch: BatchObject, _ compute: Compute) throws -> [Float] {
    let plan =
      try self.plan.flatMap { $0.batch == batch.count ? $0 : nil }
      ?? InferencePlan(graph, batch: batch.count, compute: compute)
    self.plan = plan
    return try plan.run(batch.images, weights)
  }
}
