import Canonical
import NeuralNet
import TensorCore
import Testing

/// Every op against PyTorch, forward and gradients, on awkward shapes.
@Suite struct OpReferenceTests {
  /// Relative to the largest magnitude of a tensor, or four times the error of PyTorch's own float32 result where
  /// that is more.
  static let tolerance = 3e-6

  static let cases = (try? ReferenceFile("ops").cases) ?? []

  @Test func thereAreReferencesForEveryKindOfOp() {
    let covered = Set(Self.cases.map(\.op))
    #expect(
      covered == [
        "conv2d", "linear", "batch_norm", "relu", "relu6", "max_pool", "avg_pool", "global_avg_pool", "add", "concat",
        "cross_entropy", "sigmoid", "tanh", "silu", "hard_swish", "gelu", "softplus", "softmax", "log_softmax",
        "layer_norm", "mse", "binary_cross_entropy", "kl_divergence", "channel_gate",
        "exp", "log", "sqrt", "abs", "erf", "scale", "pow", "clamp", "sub", "mul", "div", "minimum", "maximum", "sum",
        "mean", "reduce_max", "reduce_min", "transpose", "slice", "pad", "reshape", "matmul",
        "gather", "embedding", "one_hot", "sort", "argsort", "resize",
      ])
  }

  @Test(arguments: cases.filter { $0.integers["labels"] == nil })
  func matchesPyTorch(reference: ReferenceFile.Case) throws {
    let inputs = reference.floats.keys.filter { $0 == "input" || $0.wholeMatch(of: /input[0-9]+/) != nil }.sorted()
    let shapes = try inputs.map { try #require(reference.shapes[$0]) }
    let graph = try graph(reference, inputs, shapes), batch = shapes.map { $0[0] }.max() ?? 1
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "test"))
    for (name, parameter) in Self.parameters {
      if let values = reference.floats[name] { try weights.set("op/\(parameter)", values) }
    }

    let isBatch = reference.attributes["mode"] != "running"
    if reference.op == "batch_norm" { try updateRunningStatistics(reference, graph, weights) }
    let plan = try GradientPlan(
      graph, batch: batch, mode: ExecutionMode(batchNorm: isBatch ? .batch(updating: true) : .running, dropout: false),
      random: RandomSource(seed: 0, name: "test"), compute: try Compute())
    let result = try plan.run(
      inputs.map { reference.floats[$0] ?? [] }, outputGradient: try #require(reference.floats["output_gradient"]),
      weights)

    check(reference, "output", result.output)
    for (name, gradient) in zip(inputs, result.inputGradients) { check(reference, "\(name)_gradient", gradient) }
    for (name, parameter) in Self.parameters where reference.floats["\(name)_gradient"] != nil {
      check(reference, "\(name)_gradient", plan.gradient(of: "op/\(parameter)"))
    }
    if reference.op == "batch_norm" {
      check(reference, "running_mean", weights["op/running_mean"])
      check(reference, "running_variance", weights["op/running_var"])
    }
  }

  @Test(arguments: cases.filter { $0.integers["labels"] != nil })
  func crossEntropyMatchesPyTorch(reference: ReferenceFile.Case) throws {
    // With the identity as input, a linear layer's weight is the logits, and its gradient theirs.
    let logits = try #require(reference.floats["input"]), shape = try #require(reference.shapes["input"])
    let builder = try GraphBuilder(inputs: [("x", [shape[0]])])
    let y = try builder.apply(
      "linear", builder.inputs, attributes: ["features": .int(shape[1]), "bias": false], name: "op")
    let graph = try builder.finish(outputs: [("y", y)])
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "test"))
    try weights.set("op/weight", logits)
    let plan = try TrainingPlan(
      graph, batch: shape[0],
      loss: .crossEntropy(labelSmoothing: reference.attributes["label_smoothing"]?.double ?? 0),
      random: RandomSource(seed: 0, name: "test"), compute: try Compute())
    let identity = (0..<(shape[0] * shape[0])).map { $0 / shape[0] == $0 % shape[0] ? Float(1) : 0 }
    try identity.withUnsafeBufferPointer { try plan.setInput($0) }
    try #require(reference.integers["labels"]).withUnsafeBufferPointer { try plan.setLabels($0) }
    check(reference, "output", [try plan.forwardBackward(weights, step: 0)])
    check(reference, "input_gradient", plan.gradient(of: "op/weight"))
  }

  /// The op of a recipe, with labels from 1, is the loss of a training.
  @Test(arguments: cases.filter { $0.integers["labels"] != nil })
  func crossEntropyOfLabelsFromOneMatchesPyTorch(reference: ReferenceFile.Case) throws {
    let shape = try #require(reference.shapes["input"])
    let builder = try GraphBuilder(inputs: [("x", [shape[1]]), ("labels", [])])
    let y = try builder.apply("cross_entropy", builder.inputs, attributes: reference.attributes)
    let graph = try builder.finish(outputs: [("y", y)]), random = RandomSource(seed: 0, name: "test")
    let plan = try GradientPlan(graph, batch: shape[0], mode: .inference, random: random, compute: try Compute())
    let labels = try #require(reference.integers["labels"]).map { Float($0 + 1) }
    let result = try plan.run(
      [try #require(reference.floats["input"]), labels], outputGradient: [1], try Weights(graph, random: random))
    check(reference, "output", result.output)
    check(reference, "input_gradient", result.inputGradients[0])
  }

  /// A tensor's name in the references, and the parameter's in a graph.
  private static let parameters = [("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias")]

  private func graph(_ reference: ReferenceFile.Case, _ inputs: [String], _ shapes: [[Int]]) throws -> Graph {
    let builder = try GraphBuilder(inputs: zip(inputs, shapes).map { ($0, Array($1.dropFirst())) })
    var attributes = reference.attributes
    attributes["mode"] = nil
    let outputChannels = reference.shapes["output"]?.last ?? 1
    if reference.op == "conv2d" { attributes["channels"] = .int(outputChannels) }
    if reference.op == "linear" { attributes["features"] = .int(outputChannels) }
    return try builder.finish(
      outputs: [("y", try builder.apply(reference.op, builder.inputs, attributes: attributes, name: "op"))])
  }

  /// The references' running statistics have seen `first_input`, and with running statistics `input` too.
  private func updateRunningStatistics(
    _ reference: ReferenceFile.Case, _ graph: Graph, _ weights: Weights
  ) throws {
    let names = reference.attributes["mode"] == "running" ? ["first_input", "input"] : ["first_input"]
    for name in names {
      let plan = try InferencePlan(
        graph, batch: try #require(reference.shapes[name])[0], batchNorm: .batch(updating: true), compute: try Compute()
      )
      _ = try plan.run(try #require(reference.floats[name]), weights)
    }
  }

  private func check(_ reference: ReferenceFile.Case, _ tensor: String, _ actual: [Float]?) {
    let expected = reference.floats[tensor] ?? []
    // A value that nothing depends on has no gradient: that is zero.
    let actual = actual ?? expected.map { _ in 0 }
    let error = relativeError(actual, expected)
    let tolerance = max(Self.tolerance, 4 * reference.float32Error(tensor))
    #expect(error < tolerance, "\(reference.name) \(tensor)")
  }
}
