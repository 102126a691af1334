import Canonical
import Diagnostics
import TensorCore

/// What a training minimises.
public enum Loss: Hashable, Sendable {
  /// Mean cross-entropy of the logits `[N, classes]`; the target of the label is `1 − labelSmoothing`, and
  /// `labelSmoothing` is spread evenly over all classes.
  case crossEntropy(labelSmoothing: Double = 0)
  /// Mean of the squared differences of the output `[N, 1]` and the targets.
  case meanSquaredError
  /// Distillation (Hinton et al. 2015, section 2): mean over samples of `−Σ p · log softmax(z) − Σ q · log softmax(z / T)`
  /// for logits z `[N, classes]`, with two distributions for each sample, p for the labels and q for the teacher, each
  /// times its weight (`setDistributions`), and the temperature T.
  case distillation(temperature: Double = 1)

  var name: String {
    switch self {
    case .crossEntropy: "cross_entropy"
    case .meanSquaredError: "mean_squared_error"
    case .distillation: "distillation"
    }
  }
}

/// A network compiled to be trained at one batch size: forward pass, loss, gradients.
///
/// It holds no weights and no optimiser state; those are in a `TrainingState`, so one plan serves many trainings.
public final class TrainingPlan {
  /// The samples of one step.
  public let batch: Int
  public let inputs: [Graph.Port]
  public let outputs: [Graph.Port]
  /// The number of classes of the output that is trained.
  public let classes: Int
  package let plan: Plan
  /// What the loss compares with: labels (Int32), targets (Float) or two distributions.
  private let answers: [Graph.Port]
  private let kind: Loss
  private let loss: UnsafeMutablePointer<Float>
  /// The ranges of the flat buffers that have a gradient, joined where they touch and are of one kind.
  private(set) var trained: [(range: Range<Int>, kind: ParameterKind)]

  /// Compiles a graph and its gradient.
  ///
  /// - Parameters:
  ///   - output: the output that is trained; the first by default. It must be `[N, classes]`.
  ///   - mode: how layers behave; by default batch statistics, updated running statistics, dropout and fp32.
  ///   - random: where dropout's masks come from.
  /// - Throws: a `recipe` fault for an unknown output, a wrong shape or a batch size out of range.
  public convenience init(
    _ graph: Graph, batch: Int, loss: Loss = .crossEntropy(), output: String? = nil, mode: ExecutionMode = .training,
    random: RandomSource, compute: Compute
  ) throws {
    try self.init(
      graph, batch: batch, loss: loss, output: output, mode: mode, random: random, sharesMemory: true,
      compute: compute)
  }

  /// The same, with a choice about memory and fusion; see `Plan`.
  package init(
    _ graph: Graph, batch: Int, loss: Loss, output: String?, mode: ExecutionMode, random: RandomSource,
    sharesMemory: Bool, fuses: Bool = true, compute: Compute
  ) throws {
    let draft = try graph.expanded(for: mode)
    let logits = draft.symbol(try Self.port(output, of: draft.graph).value)
    let isRegression = loss == .meanSquaredError
    guard logits.shape.isVector, !isRegression || logits.shape.channels == 1 else {
      throw Fault(
        .recipe, "\(loss.name): wrong shape of the output", path: output,
        expected: isRegression ? "[N, 1]" : "[N, classes]", got: logits.shape.description,
        hint: "End the network with a linear layer.")
    }
    let known = draft.graph.inputs.count
    let lossSymbol = try Self.apply(loss, logits, in: draft, mode: mode)
    let trainable = draft.graph.parameters.indices.filter { draft.graph.parameters[$0].kind.isTrained }
    let one = Attributes(["value": 1, "dimensions": []])
    let gradients = try draft.gradients(
      of: lossSymbol, from: try draft.apply(.constant, [], one, path: "loss/gradient")[0],
      wrt: trainable.map { draft.symbol(draft.graph.parameters[$0].value) })
    let gradientValues = Dictionary(
      uniqueKeysWithValues: zip(trainable, gradients).compactMap { index, gradient in gradient.map { (index, $0.id) } })
    plan = try Plan(
      draft.graph, batch: batch, kept: draft.graph.outputs.map(\.value) + [lossSymbol.id],
      gradientValues: gradientValues, random: random, sharesMemory: sharesMemory, fuses: fuses,
      precision: mode.precision, compute: compute)
    self.batch = batch
    inputs = Array(draft.graph.inputs[..<known])
    answers = Array(draft.graph.inputs[known...])
    kind = loss
    outputs = draft.graph.outputs
    classes = logits.shape.channels
    guard let loss = plan.buffer(lossSymbol.id) else { throw Fault(.internal, "the plan lost its loss") }
    self.loss = loss.assumingMemoryBound(to: Float.self)
    trained = plan.layout.ranges(of: Set(gradientValues.keys))
  }

  /// Takes branches at every choice of the graph, by the positions of its options; see `decisions`. Parameters off the
  /// path have no gradient and no update.
  public func select(_ selection: [[Int]]) throws {
    try plan.select(selection)
    trained = plan.layout.ranges(of: plan.parametersWithGradient)
  }

  /// The decisions of the graph's choices and their options, in the order in which `select` takes them.
  public var decisions: [(name: String, options: [String])] { plan.decisions }

  /// Bytes of activations, their gradients and scratch memory.
  public var arenaBytes: Int { plan.arenaBytes }

  /// Writes a batch of an input: dense `[batch, H, W, C]` or `[batch, C]`.
  public func setInput(_ values: UnsafeBufferPointer<Float>, of port: Graph.Port? = nil) throws {
    let port = port ?? inputs[0], count = batch * plan.graph.values[port.value].shape.elementsPerSample
    guard values.count == count else {
      throw Fault(
        .recipe, "wrong number of values for a batch", path: port.name, expected: "\(count)", got: "\(values.count)")
    }
    try plan.write(values, to: port)
  }

  /// Writes the labels of a batch, each in `0 ..< classes`. Throws a `data` fault that names the first that is not.
  public func setLabels(_ values: UnsafeBufferPointer<Int32>) throws {
    guard case .crossEntropy = kind, values.count == batch else {
      throw Fault(.recipe, "wrong number of labels for a batch", expected: "\(batch)", got: "\(values.count)")
    }
    if let wrong = values.firstIndex(where: { $0 < 0 || $0 >= classes }) {
      throw Fault(
        .data, "label \(wrong + 1) of the batch is out of range", expected: "0 to \(classes - 1)",
        got: "\(values[wrong])")
    }
    if let base = values.baseAddress, let labels = plan.buffer(answers[0].value) {
      labels.assumingMemoryBound(to: Int32.self).update(from: base, count: batch)
    }
  }

  /// Writes the targets of a batch, for the loss `meanSquaredError`.
  public func setTargets(_ values: UnsafeBufferPointer<Float>) throws {
    guard kind == .meanSquaredError, values.count == batch else {
      throw Fault(.recipe, "wrong number of targets for a batch", expected: "\(batch)", got: "\(values.count)")
    }
    try plan.write(values, to: answers[0])
  }

  /// Writes the weighted distributions of a batch, for the loss `distillation`: both dense `[batch, classes]`.
  public func setDistributions(labels: [Float], teacher: [Float]) throws {
    guard case .distillation = kind, labels.count == batch * classes, teacher.count == batch * classes else {
      throw Fault(
        .recipe, "wrong number of probabilities for a batch", expected: "\(batch * classes)",
        got: "\(labels.count) and \(teacher.count)")
    }
    try labels.withUnsafeBufferPointer { try plan.write($0, to: answers[0]) }
    try teacher.withUnsafeBufferPointer { try plan.write($0, to: answers[1]) }
  }

  /// Computes the loss, the outputs and all gradients. `step` counts from 0; dropout's masks depend on it. A loss that
  /// is not finite is returned as it is.
  public func forwardBackward(_ weights: Weights, step: Int) throws -> Float {
    try plan.run(weights, step: step)
    return loss[0]
  }

  /// The gradient of one parameter after `forwardBackward`, dense; nil for a path without one.
  public func gradient(of path: String) -> [Float]? { plan.gradient(of: path) }

  /// An output of the last step, dense.
  public func output(_ port: Graph.Port? = nil) -> [Float] { plan.read((port ?? outputs[0]).value) }

  private static func port(_ name: String?, of graph: Graph) throws -> Graph.Port {
    guard let name else { return graph.outputs[0] }
    guard let port = graph.outputs.first(where: { $0.name == name }) else {
      throw Fault(
        .recipe, "the network has no output '\(name)'",
        hint: Suggestion.hint(for: name, among: graph.outputs.map(\.name)))
    }
    return port
  }

  /// Adds the loss of the logits, with inputs of its own for what it compares with.
  private static func apply(
    _ loss: Loss, _ logits: Symbol, in draft: GraphDraft, mode: ExecutionMode
  ) throws -> Symbol {
    switch loss {
    case .crossEntropy(let smoothing):
      let labels = draft.input("labels", ValueType(.activation([]), .int32))
      let attributes = try Attributes.checked(
        ["label_smoothing": .number(smoothing)], for: .labelCrossEntropy, path: "loss")
      return try draft.apply(.labelCrossEntropy, [logits, labels], attributes, path: "loss")[0]
    case .meanSquaredError:
      let targets = draft.input("targets", ValueType(.activation([])))
      let shaped = try draft.apply(.reshape, [targets], Attributes.dimensions(of: logits.shape), path: "loss")[0]
      return try draft.expand(.meanSquaredError, [logits, shaped], mode: mode, path: "loss")[0]
    case .distillation(let temperature):
      let labels = draft.input("labels", logits.type), teacher = draft.input("teacher", logits.type)
      let softened = try draft.layer(.scale, [logits], ["multiply": .number(1 / temperature)], path: "loss/soften")[0]
      let terms = try [(logits, labels), (softened, teacher)].map { logits, distribution in
        try draft.expand(.crossEntropy, [logits, distribution], mode: mode, path: "loss")[0]
      }
      return try draft.apply(.add, terms, path: "loss")[0]
    }
  }
}
