import NeuralNet
import TensorCore
import Testing

/// Paths through shared weights are the networks that they stand for.
@Suite struct SupernetTests {
  private let cell = ChoiceCell()
  private let compute: Compute
  private let images: [Float]
  private let labels: [Int32] = [0, 1, 2, 3, 0, 1]
  private let mode = ExecutionMode(batchNorm: .batch(updating: false), dropout: true)
  private let random = RandomSource(seed: 7, name: "supernet")

  init() throws {
    compute = try Compute()
    var stream = RandomStream(seed: 1, name: "images")
    images = (0..<(6 * 8 * 8 * 3)).map { _ in Float(stream.normal()) }
  }

  private func shared() throws -> (SharedWeights, Graph) {
    let graph = try cell.graph(nil)
    var layout = SharedLayout()
    try layout.add(graph, countedNames: [:], architecture: "all")
    return (try SharedWeights(layout, random: random, compute: compute), graph)
  }

  private func trainingPlan(_ graph: Graph) throws -> TrainingPlan {
    let plan = try TrainingPlan(graph, batch: 6, mode: mode, random: random, compute: compute)
    try images.withUnsafeBufferPointer { try plan.setInput($0) }
    try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
    return plan
  }

  @Test func everyPathGivesTheOutputsOfItsNetworkBitForBit() throws {
    let (shared, graph) = try shared()
    let plan = try InferencePlan(graph, batch: 6, batchNorm: .batch(updating: false), compute: compute)
    for architecture in ChoiceCell.all {
      try plan.select(ChoiceCell.selection(architecture))
      let own = try cell.graph(architecture)
      let alone = try InferencePlan(own, batch: 6, batchNorm: .batch(updating: false), compute: compute)
      #expect(
        try plan.run(images, shared.weights) == alone.run(images, try shared.copy(for: own)), "\(architecture)")
    }
  }

  @Test func oneHotMixturesAreTheNetworksThatTheyStandForBitForBit() throws {
    var mixing = cell
    mixing.isMixing = true
    let graph = try mixing.graph(nil), weights = try Weights(graph, random: random)
    let plan = try InferencePlan(graph, batch: 6, batchNorm: .batch(updating: false), compute: compute)
    for architecture in ChoiceCell.all {
      let own = try cell.graph(architecture), alone = try Weights(own, random: random)
      for path in alone.paths { try alone.set(path, weights[path] ?? []) }
      for (edge, operation) in zip(ChoiceCell.edges, architecture) {
        for number in 1...2 {
          try weights.set(
            "alpha/cell\(number)/\(edge)", ChoiceCell.operations.map { $0 == operation ? 1 : 0 })
        }
      }
      let network = try InferencePlan(own, batch: 6, batchNorm: .batch(updating: false), compute: compute)
      #expect(try plan.run(images, weights) == network.run(images, alone), "\(architecture)")
    }
  }

  @Test func aStepOnAPathIsTheStepOfItsNetwork() throws {
    let (shared, graph) = try shared()
    let plan = try trainingPlan(graph), network = try shared.network(graph)

    for architecture in ChoiceCell.all {
      let own = try cell.graph(architecture), before = try shared.weights.copy()
      let state = try TrainingState(try shared.copy(for: own))
      try plan.select(ChoiceCell.selection(architecture))
      let loss = try shared.step(network, plan, try SGD(momentum: 0, nesterov: false), learningRate: 0.1)
      let alone = try trainingPlan(own).step(state, try SGD(momentum: 0, nesterov: false), learningRate: 0.1)
      #expect(loss == alone, "\(architecture)")
      for path in shared.weights.paths {
        let expected = state.weights[path] ?? before[path] ?? []
        let difference = zip(shared.weights[path] ?? [], expected).map { abs($0 - $1) }.max() ?? 0
        #expect(difference < 2e-6, "\(architecture) \(path)")
      }
    }

  }

  /// Branches that no path runs together lie in the same memory.
  @Test func aSupernetSharesTheMemoryOfItsBranches() throws {
    let together = try trainingPlan(try cell.graph(nil)).arenaBytes
    let largest = try ChoiceCell.all.map { try trainingPlan(try cell.graph($0)).arenaBytes }.max() ?? 0
    #expect(together < largest * 2, "\(together) bytes against \(largest)")
  }

  @Test func whatIsOffThePathIsLeftAlone() throws {
    let (shared, graph) = try shared()
    let plan = try trainingPlan(graph), network = try shared.network(graph)
    let optimiser = try SGD(momentum: 0.9, weightDecay: 0.1)
    let used = ["conv3", "skip", "pool"], other = ["conv1", "none", "conv1"]
    try plan.select(ChoiceCell.selection(used))
    for _ in 0..<3 { _ = try shared.step(network, plan, optimiser, learningRate: 0.1) }
    let before = try shared.weights.copy()
    try plan.select(ChoiceCell.selection(other))
    _ = try shared.step(network, plan, optimiser, learningRate: 0.1)
    for path in shared.weights.paths {
      // The cell's output is the second edge (none) and the third (conv1); conv1 on the first edge leads there.
      let isOn =
        !path.contains("running")
        && (path.hasPrefix("stem") || path.hasPrefix("classifier") || path.contains("0to1/conv1")
          || path.contains("1to2/conv1"))
      #expect((shared.weights[path] == before[path]) == !isOn, "\(path)")
    }
  }

  @Test func gradientsOfSeveralPathsAddUp() throws {
    let (together, graph) = try shared(), (apart, _) = try shared()
    let plan = try trainingPlan(graph)
    let paths = [["conv3", "skip", "pool"], ["conv1", "conv3", "skip"]]
    let network = try together.network(graph), plain = try SGD(momentum: 0, nesterov: false)
    for path in paths {
      try plan.select(ChoiceCell.selection(path))
      _ = try together.accumulate(network, plan)
    }
    try together.apply(plain, learningRate: 0.5, dividingBy: 2)
    // With plain descent the same as the mean of the weights after one step on each path.
    let start = try apart.weights.copy()
    var sums: [String: [Float]] = [:]
    for path in paths {
      for name in start.paths { try apart.weights.set(name, start[name] ?? []) }
      try plan.select(ChoiceCell.selection(path))
      _ = try apart.step(try apart.network(graph), plan, plain, learningRate: 0.5)
      for name in start.paths {
        sums[name] = zip(sums[name] ?? (start[name] ?? []).map { _ in 0 }, apart.weights[name] ?? []).map { $0 + $1 }
      }
    }
    for name in start.paths {
      let difference = zip(together.weights[name] ?? [], sums[name] ?? []).map { abs($0 - $1 / 2) }.max() ?? 0
      #expect(difference < 1e-6, "\(name)")
    }
  }
}
