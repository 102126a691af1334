import Canonical
import Datasets
import Diagnostics
import Evaluation
import NeuralNet
import TensorCore
import Testing

/// A small convolutional network for `shapes`.
private func network(_ data: Dataset, channels: Int = 8) throws -> Graph {
  let builder = try GraphBuilder(inputs: [(name: "input", shape: data.imageShape)])
  var x = builder.inputs[0]
  for stride in [1, 2, 2] {
    x = try builder.apply("conv2d", [x], attributes: ["channels": .int(channels), "kernel": 3, "stride": .int(stride)])
    x = try builder.apply("relu", [try builder.apply("batch_norm", [x])])
  }
  x = try builder.apply("global_avg_pool", [x])
  return try builder.finish(
    outputs: [
      (name: "output", value: try builder.apply("linear", [x], attributes: ["features": .int(data.classNames.count)]))
    ])
}

private func smallData() throws -> Dataset { try shapes.get() }
/// Drawn once for all tests.
private let shapes = Result {
  try DataRegistry.open(
    "shapes", options: Dataset.Options(valid: .fraction(0.25)), shapes: Shapes.Options(train: 2000, test: 100))
}

private let random = RandomSource(seed: 1, name: "test")

/// Trains and returns the weights and the epochs' reports.
private func trained(_ data: Dataset, _ recipe: TrainingRecipe, threads: Int = 1) throws -> (
  Weights, [Trainer.EpochReport]
) {
  let graph = try network(data)
  let weights = try Weights(graph, random: random)
  var reports: [Trainer.EpochReport] = []
  try Trainer(compute: try Compute(threads: threads)).train(
    graph, weights, on: data.train, normalisation: data.normalisation, recipe: recipe, random: random
  ) { reports.append($0) }
  return (weights, reports)
}

@Suite struct TrainerTests {
  @Test func learnsAndScoresAboveChance() throws {
    let data = try smallData()
    let recipe = try TrainingRecipe(epochs: 8, batch: 16, learningRate: 0.05, optimiser: try SGD(weightDecay: 5e-4))
    let (weights, reports) = try trained(data, recipe)
    #expect(reports.map(\.epoch) == Array(1...8))
    #expect(reports[7].loss < reports[0].loss)
    let scores = try Scorer(compute: try Compute()).score(
      try network(data), weights, on: try #require(data.valid), normalisation: data.normalisation)
    let accuracy = try #require(scores["accuracy"])
    #expect(accuracy > 25, "ten classes: chance is 10 per cent")
    // The validation images are stratified, so both accuracies weigh the classes alike.
    #expect(abs(accuracy - (scores["balanced_accuracy"] ?? 0)) < 2)
  }

  @Test func isTheSameForAnyNumberOfThreads() throws {
    let data = try smallData()
    let recipe = try TrainingRecipe(
      epochs: 2, batch: 32, optimiser: try SGD(), labelSmoothing: 0.1,
      augmentation: Augmentation(flip: true, crop: 2, cutout: 4))
    let one = try trained(data, recipe), again = try trained(data, recipe), two = try trained(data, recipe, threads: 2)
    #expect(one.0.digest == again.0.digest)
    #expect(one.0.digest == two.0.digest)
    #expect(one.1.map(\.loss) == two.1.map(\.loss))
  }

  @Test func theCosineScheduleIsNASBench201s() throws {
    // lr(e) = 0.1 (1 + cos(π e / 4)) / 2 for e = 0…3, by hand.
    let recipe = try TrainingRecipe(epochs: 4, batch: 64, optimiser: try SGD())
    let (_, reports) = try trained(try smallData(), recipe)
    for (report, expected) in zip(reports, [0.1, 0.085355339, 0.05, 0.014644661]) {
      #expect(abs(report.learningRate - expected) < 1e-8)
    }
  }

  @Test func theCosineByStepEndsNearZero() throws {
    // 1500 training images in steps of 50: 30 steps per epoch, 60 in all; lr(s) = 0.1 (1 + cos(π s / 60)) / 2 at the
    // epochs' last steps, s = 29 and 59, by hand.
    let recipe = try TrainingRecipe(epochs: 2, batch: 50, course: .cosineByStep, optimiser: try SGD())
    let (_, reports) = try trained(try smallData(), recipe)
    for (report, expected) in zip(reports, [0.052616798, 0.000068523]) {
      #expect(abs(report.learningRate - expected) < 1e-8)
    }
  }

  @Test func divergenceIsReportedAndEndsTheTraining() throws {
    let recipe = try TrainingRecipe(epochs: 5, batch: 32, learningRate: 1e30, course: .constant, optimiser: try SGD())
    let (_, reports) = try trained(try smallData(), recipe)
    #expect(reports.last?.loss.isNaN == true)
    #expect(reports.count < 5)
  }

  @Test func cancellationIsAnInterruption() throws {
    let data = try smallData(), graph = try network(data)
    let recipe = try TrainingRecipe(epochs: 1, batch: 32, optimiser: try SGD())
    #expect(throws: Fault(.interrupted, "training was interrupted")) {
      try Trainer(compute: try Compute(), isCancelled: { true }).train(
        graph, try Weights(graph, random: random), on: data.train, normalisation: data.normalisation, recipe: recipe,
        random: random
      ) { _ in }
    }
  }

  @Test func aNetworkWithAnotherNumberOfClassesIsRefused() throws {
    let data = try smallData()
    let builder = try GraphBuilder(inputs: [(name: "input", shape: data.imageShape)])
    let pooled = try builder.apply("global_avg_pool", [builder.inputs[0]])
    let graph = try builder.finish(
      outputs: [(name: "output", value: try builder.apply("linear", [pooled], attributes: ["features": 3]))])
    #expect(
      throws: Fault(
        .recipe, "the network's output doesn't fit the data", expected: "10 classes", got: "3",
        hint: "End build with nn.linear(x, task.classes).")
    ) {
      try Trainer(compute: try Compute()).train(
        graph, try Weights(graph, random: random), on: data.train, normalisation: data.normalisation,
        recipe: try TrainingRecipe(epochs: 1, batch: 32, optimiser: try SGD()), random: random
      ) { _ in }
    }
  }
}

@Suite struct LatencyMeterTests {
  /// The numbers that it times with are ones that an embedding can look up.
  @Test func embeddingsCanBeTimed() throws {
    let builder = try GraphBuilder(inputs: [("x", [3])])
    let y = try builder.apply("embedding", builder.inputs, attributes: ["count": 4, "size": 2])
    let graph = try builder.finish(outputs: [("y", y)])
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "t"))
    #expect(try LatencyMeter().measure(graph, weights, kernels: .best).median > 0)
  }

  @Test func timesEveryCallAndOrdersTheQuantiles() throws {
    let data = try smallData(), graph = try network(data)
    var how = LatencyMeter.Settings()
    how.rounds = 3
    how.calls = 7
    let timing = try LatencyMeter().measure(
      graph, try Weights(graph, random: random), kernels: .best, as: how)
    #expect(timing.calls == 21)
    #expect(timing.p10 > 0 && timing.p10 <= timing.median && timing.median <= timing.p90)
  }

  @Test func aLargerNetworkTakesLonger() throws {
    let data = try smallData()
    let times = try [4, 128].map { channels in
      let graph = try network(data, channels: channels)
      return try LatencyMeter().measure(graph, try Weights(graph, random: random), kernels: .best).median
    }
    #expect(times[1] > times[0])
  }
}

@Suite struct TrainingRecipeTests {
  @Test func wrongValuesAreNamed() throws {
    let optimiser = try SGD()
    #expect(throws: Fault(.recipe, "wrong number of epochs", expected: "at least 1", got: "0")) {
      try TrainingRecipe(epochs: 0, optimiser: optimiser)
    }
    #expect(throws: Fault(.recipe, "wrong warm-up", expected: "0 to 3 epochs", got: "4.0")) {
      try TrainingRecipe(epochs: 3, warmUp: 4, optimiser: optimiser)
    }
  }
}
