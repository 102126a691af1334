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

  var name: String { if case .crossEntropy = self { "cross_entropy" } else { "mean_squared_error" } }
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
  /// Labels (Int32) or targets (Float), as the loss wants.
  private let answers: UnsafeMutableRawPointer
  private let isRegression: Bool
  private let loss: UnsafeMutablePointer<Float>
  /// The ranges of the flat buffers that have a gradient, joined where they touch and are of one kind.
  private(set) var trained: [(range: Range<Int>, kind: ParameterKind)]

  /// Compiles a graph and its gradient.
  ///
  /// - Parameters:
  ///   - output: the output that is trained; the first by default. It must be `[N, classes]`.
  ///   - mode: how layers behave; by default batch statistics, updated running statistics, and dropout.
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

  /// The same, with a choice about memory.
  package init(
    _ graph: Graph, batch: Int, loss: Loss, output: String?, mode: ExecutionMode, random: RandomSource,
    sharesMemory: Bool, compute: Compute
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
    let target = draft.input(
      isRegression ? "targets" : "labels", ValueType(.activation([]), isRegression ? .float : .int32))
    let lossSymbol = try Self.apply(loss, [logits, target], in: draft, mode: mode)
    let trainable = draft.graph.parameters.indices.filter { draft.graph.parameters[$0].kind.isTrained }
    let one = Attributes(["value": 1, "dimensions": []])
    let gradients = try draft.gradients(
      of: lossSymbol, from: try draft.apply(.constant, [], one, path: "loss/gradient")[0],
      wrt: trainable.map { draft.symbol(draft.graph.parameters[$0].value) })
    let gradientValues = Dictionary(
      uniqueKeysWithValues: zip(trainable, gradients).compactMap { index, gradient in gradient.map { (index, $0.id) } })
    plan = try Plan(
      draft.graph, batch: batch, kept: draft.graph.outputs.map(\.value) + [lossSymbol.id],
      gradientValues: gradientValues, random: random, sharesMemory: sharesMemory,
      compute: compute)
    self.batch = batch
    inputs = draft.graph.inputs.dropLast()
    outputs = draft.graph.outputs
    classes = logits.shape.channels
    guard let answers = plan.buffer(target.id), let loss = plan.buffer(lossSymbol.id) else {
      throw Fault(.internal, "the plan lost its loss")
    }
    self.answers = answers
    self.isRegression = isRegression
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
    guard !isRegression, values.count == batch else {
      throw Fault(.recipe, "wrong number of labels for a batch", expected: "\(batch)", got: "\(values.count)")
    }
    if let wrong = values.firstIndex(where: { $0 < 0 || $0 >= classes }) {
      throw Fault(
        .data, "label \(wrong + 1) of the batch is out of range", expected: "0 to \(classes - 1)",
        got: "\(values[wrong])")
    }
    if let base = values.baseAddress { answers.assumingMemoryBound(to: Int32.self).update(from: base, count: batch) }
  }

  /// Writes the targets of a batch, for the loss `meanSquaredError`.
  public func setTargets(_ values: UnsafeBufferPointer<Float>) throws {
    guard isRegression, values.count == batch else {
      throw Fault(.recipe, "wrong number of targets for a batch", expected: "\(batch)", got: "\(values.count)")
    }
    if let base = values.baseAddress { answers.assumingMemoryBound(to: Float.self).update(from: base, count: batch) }
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

  private static func apply(
    _ loss: Loss, _ inputs: [Symbol], in draft: GraphDraft, mode: ExecutionMode
  ) throws -> Symbol {
    switch loss {
    case .crossEntropy(let smoothing):
      let attributes = try Attributes.checked(
        ["label_smoothing": .number(smoothing)], for: .labelCrossEntropy, path: "loss")
      return try draft.apply(.labelCrossEntropy, inputs, attributes, path: "loss")[0]
    case .meanSquaredError:
      let shape = Attributes.dimensions(of: inputs[0].shape)
      let targets = try draft.apply(.reshape, [inputs[1]], shape, path: "loss")[0]
      return try draft.expand(.meanSquaredError, [inputs[0], targets], mode: mode, path: "loss")[0]
    }
  }
}
