import Canonical
import NeuralNet
import TensorCore
import Testing

/// A plan with fused nodes computes what the nodes compute one by one.
@Suite struct FusionTests {
  /// A network: its input and its layers.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let input: [Int]
    let body: @Sendable (Layers, Symbol) throws -> Symbol
    var testDescription: String { name }
  }

  /// Layers by short names.
  struct Layers {
    let builder: GraphBuilder

    func conv(_ x: Symbol, _ channels: Int, _ kernel: Int, stride: Int = 1, groups: Int = 1, bias: Bool = false) throws
      -> Symbol
    {
      try builder.apply(
        "conv2d", [x],
        attributes: [
          "channels": .int(channels), "kernel": .int(kernel), "stride": .int(stride), "groups": .int(groups),
          "bias": .bool(bias),
        ])
    }
    func norm(_ x: Symbol, affine: Bool = true) throws -> Symbol {
      try builder.apply("batch_norm", [x], attributes: ["affine": .bool(affine)])
    }
    func relu(_ x: Symbol, six: Bool = false) throws -> Symbol { try builder.apply(six ? "relu6" : "relu", [x]) }
    func add(_ terms: [Symbol]) throws -> Symbol { try builder.apply("add", terms) }
    func pool(_ x: Symbol) throws -> Symbol {
      try builder.apply("avg_pool", [x], attributes: ["kernel": 3, "stride": 1, "padding": 1])
    }
    /// ReLU, convolution, normalisation: an edge of NAS-Bench-201.
    func edge(_ x: Symbol, _ kernel: Int) throws -> Symbol {
      try norm(try conv(try relu(x), x.shape.channels, kernel))
    }
  }

  static let cases: [Case] =
    [1, 3, 16, 17].map { channels in
      Case(name: "cell of \(channels) channels", input: [9, 7, 3]) { b, x in
        let a = try b.norm(try b.conv(x, channels, 3))
        let c = try b.add([try b.edge(a, 3), try b.edge(a, 1)])
        let d = try b.add([a, try b.edge(a, 1), try b.edge(c, 3)])
        return try b.add([try b.edge(a, 3), try b.pool(c), d])
      }
    }
    + [1, 6, 32].map { channels in
      Case(name: "inverted residual of \(channels) channels", input: [8, 5, 5]) { b, x in
        let stem = try b.relu(try b.norm(try b.conv(x, channels, 3, stride: 2)), six: true)
        let wide = try b.relu(try b.norm(try b.conv(stem, 3 * channels, 1)), six: true)
        let deep = try b.relu(try b.norm(try b.conv(wide, 3 * channels, 3, groups: 3 * channels)), six: true)
        return try b.add([stem, try b.norm(try b.conv(deep, channels, 1))])
      }
    } + [
      Case(name: "residual block", input: [6, 6, 7]) { b, x in
        let a = try b.relu(try b.norm(try b.conv(x, 18, 3)))
        let c = try b.norm(try b.conv(try b.relu(try b.norm(try b.conv(a, 18, 3, bias: true))), 18, 3))
        return try b.relu(try b.add([c, a]))
      },
      Case(name: "separable convolutions", input: [7, 7, 4]) { b, x in
        let depthwise = try b.conv(try b.relu(x), 4, 3, stride: 2, groups: 4)
        return try b.norm(try b.conv(try b.norm(depthwise, affine: false), 12, 1), affine: false)
      },
      Case(name: "a value with many readers", input: [5, 5, 6]) { b, x in
        let a = try b.relu(try b.norm(try b.conv(x, 6, 3)))
        return try b.add([a, try b.conv(a, 6, 3, bias: true), try b.pool(a), try b.builder.apply("sigmoid", [a])])
      },
      Case(name: "mixture", input: [6, 5, 3]) { b, x in
        let a = try b.norm(try b.conv(x, 6, 3))
        let branches = [a, try b.edge(a, 3), try b.edge(a, 1), try b.pool(a), try b.builder.apply("zero", [a])]
        let weights = try b.builder.mixingWeights("alpha/edge", count: branches.count)
        return try b.builder.apply("weighted_sum", [weights] + branches)
      },
      Case(name: "convolution without normalisation", input: [1, 1, 3]) { b, x in
        try b.conv(try b.relu(try b.conv(x, 5, 3, bias: true)), 5, 1, bias: true)
      },
    ]

  static func graph(_ network: Case) throws -> Graph {
    let builder = try GraphBuilder(inputs: [("x", network.input)])
    let body = try network.body(Layers(builder: builder), builder.inputs[0])
    let pooled = try builder.apply("global_avg_pool", [body])
    let y = try builder.apply("linear", [pooled], attributes: ["features": 3], name: "classifier")
    return try builder.finish(outputs: [("y", y)])
  }

  /// Numbers that leave no ReLU's input near 0 by chance of rounding are rare enough at this size.
  private func images(_ network: Case, batch: Int) -> [Float] {
    var stream = RandomStream(seed: 3, name: network.name)
    return (0..<(batch * network.input.reduce(1, *))).map { _ in Float(stream.normal()) }
  }

  /// Weights with shifts, factors and mixing weights that differ from channel to channel.
  private func weights(_ graph: Graph) throws -> Weights {
    let weights = try Weights(graph, random: RandomSource(seed: 5, name: "w"))
    var stream = RandomStream(seed: 9, name: "norms")
    for parameter in graph.parameters where [.norm, .statistic, .mixing].contains(parameter.kind) {
      let values = (0..<parameter.shape.elementsPerSample).map { _ in Float(stream.uniform()) + 0.5 }
      try weights.set(parameter.path, values)
    }
    return weights
  }

  private struct Step {
    var loss: Float
    var gradients: [String: [Float]]
    var weights: Weights
    var ops: [String]
  }

  private func step(_ network: Case, fuses: Bool, compute: Compute) throws -> Step {
    let graph = try Self.graph(network), weights = try weights(graph)
    let plan = try TrainingPlan(
      graph, batch: 4, loss: .crossEntropy(), output: nil, mode: .training, random: RandomSource(seed: 1, name: "r"),
      sharesMemory: true, fuses: fuses, compute: compute)
    try images(network, batch: 4).withUnsafeBufferPointer { try plan.setInput($0) }
    try ([0, 1, 2, 1] as [Int32]).withUnsafeBufferPointer { try plan.setLabels($0) }
    let loss = try plan.forwardBackward(weights, step: 0)
    let paths = graph.parameters.filter(\.kind.isTrained).map(\.path)
    return Step(
      loss: loss, gradients: Dictionary(uniqueKeysWithValues: paths.map { ($0, plan.gradient(of: $0) ?? []) }),
      weights: weights, ops: plan.plan.steps.map(\.op))
  }

  /// The largest difference relative to the largest number.
  private func error(_ a: [Float], _ b: [Float]) -> Double {
    let scale = b.map { Double(abs($0)) }.max() ?? 0
    return zip(a, b).map { Double(abs($0 - $1)) }.max().map { $0 / max(scale, 1e-30) } ?? 0
  }

  @Test(arguments: cases)
  func aTrainingStepIsThatOfItsNodes(network: Case) throws {
    let compute = try Compute()
    let plain = try step(network, fuses: false, compute: compute)
    let fused = try step(network, fuses: true, compute: compute)
    #expect(abs(fused.loss - plain.loss) < 2e-6 * plain.loss)
    // Relative to the largest gradient of the network where there is hardly one: that of a bias before a normalisation is
    // 0 but for rounding, and of one channel that of a convolution along its own weights.
    let largest = plain.gradients.values.flatMap { $0 }.map { abs($0) }.max() ?? 0
    let floor = network.name.hasSuffix("of 1 channels") ? largest : largest / 50
    for (path, gradient) in fused.gradients {
      let expected = try #require(plain.gradients[path])
      let scale = max(expected.map { abs($0) }.max() ?? 0, floor)
      let difference = zip(gradient, expected).map { abs($0 - $1) }.max() ?? 0
      #expect(difference < 2e-5 * scale, "\(path): \(difference) of \(scale)")
    }
    for path in fused.weights.paths where path.contains("running") {
      #expect(error(fused.weights[path] ?? [], plain.weights[path] ?? []) < 2e-6, "\(path)")
    }
    #expect(fused.ops.count < plain.ops.count)
  }

  @Test(arguments: cases)
  func setsAndThreadsGiveTheSameBits(network: Case) throws {
    let expected = try step(network, fuses: true, compute: try Compute(kernels: KernelSet.best))
    for set in KernelSet.available where set.fusesMultiplyAdd == KernelSet.best.fusesMultiplyAdd {
      for threads in [1, 3] {
        let again = try step(network, fuses: true, compute: try Compute(kernels: set, threads: threads))
        #expect(again.loss == expected.loss && again.gradients == expected.gradients, "\(set), \(threads) threads")
      }
    }
  }

  @Test(arguments: cases, [ExecutionMode.BatchNorm.running, .batch(updating: false)])
  func anEvaluationIsThatOfItsNodes(network: Case, mode: ExecutionMode.BatchNorm) throws {
    let graph = try Self.graph(network), weights = try weights(graph), images = images(network, batch: 3)
    let outputs = try [true, false].map { fuses in
      try InferencePlan(
        graph, batch: 3, batchNorm: mode, sharesMemory: true, fuses: fuses, compute: try Compute()
      ).run(images, weights)
    }
    #expect(error(outputs[0], outputs[1]) < 3e-6)
  }

  @Test func normalisationsGoIntoTheWeightsAndSumsIntoTheConvolutions() throws {
    let network = try #require(Self.cases.first { $0.name == "residual block" })
    let plan = try InferencePlan(try Self.graph(network), batch: 1, compute: try Compute())
    #expect(!plan.plan.steps.contains { ["normalise", "add", "relu"].contains($0.op) }, "\(plan.plan.steps.map(\.op))")
  }

  /// The sums over the batch are taken where the gradient is written, but for the last normalisation, whose gradient
  /// doesn't come from a convolution.
  @Test func gradientsOfNormalisationsAreSummedWhereTheyAreWritten() throws {
    let network = try #require(Self.cases.first { $0.name == "inverted residual of 6 channels" })
    let ops = try step(network, fuses: true, compute: try Compute()).ops
    #expect(ops.count { $0 == "batch_norm_sums" } == 1, "\(ops)")
  }

  @Test func preparedWeightsFollowEveryChange() throws {
    let graph = try Self.graph(Self.cases[2]), weights = try weights(graph), images = images(Self.cases[2], batch: 2)
    let plan = try InferencePlan(graph, batch: 2, compute: try Compute())
    func fresh() throws -> [Float] {
      try InferencePlan(graph, batch: 2, compute: try Compute()).run(images, weights)
    }
    var seen: [[Float]] = [try plan.run(images, weights)]
    let training = try TrainingPlan(
      graph, batch: 2, random: RandomSource(seed: 1, name: "r"), compute: try Compute())
    try images.withUnsafeBufferPointer { try training.setInput($0) }
    try ([0, 1] as [Int32]).withUnsafeBufferPointer { try training.setLabels($0) }
    let state = try TrainingState(weights)
    let changes: [() throws -> Void] = [
      { try weights.set("conv2d1/weight", try #require(weights["conv2d1/weight"]).map { 2 * $0 }) },
      { _ = try training.step(state, try SGD(), learningRate: 0.1) },
      { _ = try training.forwardBackward(weights, step: 1) },  // the running statistics alone
      { try weights.recalibrate(graph, batches: 1, size: 2, compute: try Compute()) { _ in images.map { 3 * $0 } } },
    ]
    for change in changes {
      try change()
      seen.append(try plan.run(images, weights))
      #expect(try seen.last == fresh())
    }
    #expect(Set(seen).count == seen.count)
    let other = try self.weights(graph)
    #expect(try plan.run(images, other) == seen[0])
  }
}
