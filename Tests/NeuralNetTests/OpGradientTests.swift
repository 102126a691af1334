import Canonical
import NeuralNet
import TensorCore
import TestSupport
import Testing

/// Every layer against a naive evaluation in double precision: its output, and by finite differences its gradients.
@Suite struct OpGradientTests {
  static let batch = 3

  @Test(arguments: SmallNetworks.all)
  func lossAndGradientsMatchDoublePrecision(network: SmallNetworks.Case) throws {
    let graph = try SmallNetworks.graph(network), compute = try Compute()
    let weights = try Weights(graph, random: RandomSource(seed: 3, name: network.name))
    let numbers = SmallNetworks.numbers(Self.batch * network.input.reduce(1, *))
    let labels = SmallNetworks.labels(Self.batch, classes: 4)
    let plan = try TrainingPlan(
      graph, batch: Self.batch, loss: .crossEntropy(labelSmoothing: 0.1), random: RandomSource(seed: 0, name: "test"),
      compute: compute)
    try numbers.withUnsafeBufferPointer { try plan.setInput($0) }
    try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
    let loss = try plan.forwardBackward(weights, step: 0)

    var oracle = DoubleInterpreter(graph, weights)
    let input = Tensor([Self.batch] + network.input, numbers.map(Double.init))
    #expect(abs(Double(loss) - oracle.loss(input, labels, smoothing: 0.1)) < 2e-6)
    for parameter in graph.parameters where parameter.kind.isTrained {
      let gradient = plan.gradient(of: parameter.path)
      try checkDifferences(parameter.path, gradient, &oracle, input, labels)
    }
  }

  /// Compares single derivatives with central differences; a gradient that is absent counts as zero.
  private func checkDifferences(
    _ path: String, _ gradient: [Float]?, _ oracle: inout DoubleInterpreter, _ input: Tensor, _ labels: [Int32]
  ) throws {
    let step = 1e-6, count = oracle.parameters[path]?.count ?? 0
    let largest = Double(gradient?.map(abs).max() ?? 0)
    for index in stride(from: 0, to: count, by: max(1, count / 12)) {
      let original = try #require(oracle.parameters[path])[index]
      oracle.parameters[path]?[index] = original + step
      let above = oracle.loss(input, labels, smoothing: 0.1)
      oracle.parameters[path]?[index] = original - step
      let below = oracle.loss(input, labels, smoothing: 0.1)
      oracle.parameters[path]?[index] = original
      let expected = (above - below) / (2 * step), actual = Double(gradient?[index] ?? 0)
      #expect(abs(expected - actual) < 1e-6 + 1e-5 * largest, "\(path)[\(index)]: expected \(expected), got \(actual)")
    }
  }

  /// Padding lanes, memory sharing and threads: with every value in a buffer of its own, on another number of threads,
  /// the bits are the same, and nothing but zeros is in the padding.
  @Test(arguments: SmallNetworks.all + SmallNetworks.smooth + SmallNetworks.moving)
  func sharingMemoryAndThreadsChangeNothing(network: SmallNetworks.Case) throws {
    let graph = try SmallNetworks.graph(network)
    let weights = try Weights(graph, random: RandomSource(seed: 3, name: network.name))
    let numbers = SmallNetworks.numbers(Self.batch * network.input.reduce(1, *))
    let labels = SmallNetworks.labels(Self.batch, classes: 4)
    var results: [[Float]] = []
    for (isSharing, threads) in [(true, 1), (false, 1), (true, 2)] {
      let plan = try TrainingPlan(
        graph, batch: Self.batch, loss: .crossEntropy(), output: nil, mode: .training,
        random: RandomSource(seed: 0, name: "test"), sharesMemory: isSharing, compute: try Compute(threads: threads))
      try numbers.withUnsafeBufferPointer { try plan.setInput($0) }
      try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
      let loss = try plan.forwardBackward(try weights.copy(), step: 0)
      results.append([loss] + plan.output() + graph.parameters.flatMap { plan.gradient(of: $0.path) ?? [] })
      if !isSharing { #expect(plan.plan.opsWithDirtyLanes() == []) }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }
}
