import Canonical
import Diagnostics
import TensorCore

/// Compares one case of the references `ops` with what the op computes here: output, gradients, running statistics.
package struct ReferenceCheck {
  /// Relative to the largest magnitude of a tensor, or four times the error of PyTorch's own float32 result where
  /// that is more.
  package static let tolerance = 3e-6
  /// A tensor's name in the references, and the parameter's in a graph.
  private static let parameters = [("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias")]
  private static let random = RandomSource(seed: 0, name: "references")

  let reference: ReferenceFile.Case
  let compute: Compute

  package init(_ reference: ReferenceFile.Case, compute: Compute) {
    self.reference = reference
    self.compute = compute
  }

  /// The tensors that differ, with their errors; empty when all is right.
  package func differences() throws -> [(tensor: String, error: Double)] {
    let actual = reference.integers["labels"] == nil ? try gradients() : try trainingLoss() + lossOfLabels()
    return actual.compactMap { tensor, values in
      let expected = reference.floats[tensor] ?? []
      // A value that nothing depends on has no gradient: that is zero.
      let error = relativeError(values ?? expected.map { _ in 0 }, expected)
      return error < max(Self.tolerance, 4 * reference.float32Error(tensor)) ? nil : (tensor, error)
    }
  }

  private func gradients() throws -> [(String, [Float]?)] {
    let inputs = reference.floats.keys.filter { $0 == "input" || $0.wholeMatch(of: /input[0-9]+/) != nil }.sorted()
    let shapes = try inputs.map(shape), graph = try graph(inputs, shapes)
    let weights = try Weights(graph, random: Self.random)
    for (name, parameter) in Self.parameters {
      if let values = reference.floats[name] { try weights.set("op/\(parameter)", values) }
    }
    let isBatch = reference.attributes["mode"] != "running"
    if reference.op == "batch_norm" { try updateRunningStatistics(graph, weights) }
    let plan = try GradientPlan(
      graph, batch: shapes.compactMap(\.first).max() ?? 1,
      mode: ExecutionMode(batchNorm: isBatch ? .batch(updating: true) : .running, dropout: false),
      random: Self.random, compute: compute)
    let result = try plan.run(
      try inputs.map(floats), outputGradient: try floats("output_gradient"), weights)
    var actual: [(String, [Float]?)] = [("output", result.output)]
    actual += zip(inputs, result.inputGradients).map { ("\($0)_gradient", $1) }
    for (name, parameter) in Self.parameters where reference.floats["\(name)_gradient"] != nil {
      actual.append(("\(name)_gradient", plan.gradient(of: "op/\(parameter)")))
    }
    if reference.op == "batch_norm" {
      actual += [("running_mean", weights["op/running_mean"]), ("running_variance", weights["op/running_var"])]
    }
    return actual
  }

  /// The loss of a training. With the identity as input, a linear layer's weight is the logits, and its gradient theirs.
  private func trainingLoss() throws -> [(String, [Float]?)] {
    let logits = try floats("input"), shape = try shape("input")
    let builder = try GraphBuilder(inputs: [("x", [shape[0]])])
    let y = try builder.apply(
      "linear", builder.inputs, attributes: ["features": .int(shape.last ?? 1), "bias": false], name: "op")
    let graph = try builder.finish(outputs: [("y", y)]), weights = try Weights(graph, random: Self.random)
    try weights.set("op/weight", logits)
    let plan = try TrainingPlan(
      graph, batch: shape[0],
      loss: .crossEntropy(labelSmoothing: reference.attributes["label_smoothing"]?.double ?? 0),
      random: Self.random, compute: compute)
    let identity = (0..<(shape[0] * shape[0])).map { $0 / shape[0] == $0 % shape[0] ? Float(1) : 0 }
    try identity.withUnsafeBufferPointer { try plan.setInput($0) }
    try (reference.integers["labels"] ?? []).withUnsafeBufferPointer { try plan.setLabels($0) }
    return [
      ("output", [try plan.forwardBackward(weights, step: 0)]), ("input_gradient", plan.gradient(of: "op/weight")),
    ]
  }

  /// The op of a recipe, with labels from 1.
  private func lossOfLabels() throws -> [(String, [Float]?)] {
    let shape = try shape("input")
    let builder = try GraphBuilder(inputs: [("x", [shape.last ?? 1]), ("labels", [])])
    let y = try builder.apply("cross_entropy", builder.inputs, attributes: reference.attributes)
    let graph = try builder.finish(outputs: [("y", y)])
    let plan = try GradientPlan(
      graph, batch: shape[0], mode: .inference, random: Self.random, compute: compute)
    let labels = (reference.integers["labels"] ?? []).map { Float($0 + 1) }
    let result = try plan.run(
      [try floats("input"), labels], outputGradient: [1], try Weights(graph, random: Self.random))
    return [("output", result.output), ("input_gradient", result.inputGradients[0])]
  }

  private func graph(_ inputs: [String], _ shapes: [[Int]]) throws -> Graph {
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
  private func updateRunningStatistics(_ graph: Graph, _ weights: Weights) throws {
    let names = reference.attributes["mode"] == "running" ? ["first_input", "input"] : ["first_input"]
    for name in names {
      let plan = try InferencePlan(
        graph, batch: try shape(name)[0], batchNorm: .batch(updating: true), compute: compute)
      _ = try plan.run(try floats(name), weights)
    }
  }

  private func floats(_ name: String) throws -> [Float] {
    guard let values = reference.floats[name] else { throw missing(name) }
    return values
  }

  /// A shape with a batch.
  private func shape(_ name: String) throws -> [Int] {
    guard let shape = reference.shapes[name], !shape.isEmpty else { throw missing(name) }
    return shape
  }

  private func missing(_ name: String) -> Fault { Fault(.data, "a reference lacks '\(name)'", path: reference.name) }
}
