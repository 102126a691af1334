import Canonical
import Datasets
import Evaluation
import Foundation
import NeuralNet
import TensorCore
import TestSupport
import Testing

@Suite struct RegressionTests {
  private let data: Dataset
  private let graph: Graph

  init() throws {
    let fixture = try IDXFixture()
    let text =
      "a,b,y\n"
      + (0..<200).map { "\($0 % 17),\($0 * 7 % 23),\(1000 + 30 * ($0 % 17) - 20 * ($0 * 7 % 23))\n" }
      .joined()
    let path = try fixture.write("plane.csv", Array(text.utf8))
    data = try DataRegistry.table(
      path, TableOptions(target: "y", task: .regression), options: .init(valid: .fraction(0.25)))
    let builder = try GraphBuilder(inputs: [(name: "input", shape: data.imageShape)])
    let output = try builder.apply("linear", [builder.inputs[0]], attributes: ["features": 1])
    graph = try builder.finish(outputs: [(name: "output", value: output)])
  }

  @Test func theLossAndItsGradientAreTheMeanSquaredError() throws {
    let random = RandomSource(seed: 3, name: "t"), compute = try Compute(threads: 1)
    let plan = try TrainingPlan(graph, batch: 2, loss: .meanSquaredError, random: random, compute: compute)
    let weights = try Weights(graph, random: random)
    let paths = weights.paths
    try weights.set(paths[0], [2, -1])
    try weights.set(paths[1], [0.5])
    // Predictions 2·1 − 1·3 + 0.5 = −0.5 and 2·4 − 1·2 + 0.5 = 6.5; errors −1.5 and 2.5.
    try [1, 3, 4, 2].withUnsafeBufferPointer { try plan.setInput($0) }
    try [1, 4].withUnsafeBufferPointer { try plan.setTargets($0) }
    #expect(try plan.forwardBackward(weights, step: 0) == 4.25)
    // Mean over the batch of 2 · error · input: −1.5 · (1, 3, 1) + 2.5 · (4, 2, 1).
    #expect(plan.gradient(of: paths[0]) == [8.5, 0.5])
    #expect(plan.gradient(of: paths[1]) == [1])
  }

  @Test func aPlaneIsLearned() throws {
    let random = RandomSource(seed: 1, name: "t"), compute = try Compute(threads: 1)
    let weights = try Weights(graph, random: random)
    let recipe = try TrainingRecipe(
      epochs: 60, batch: 10, learningRate: 0.05, optimiser: SGD(momentum: 0.9, weightDecay: 0))
    try Trainer(compute: compute).train(
      graph, weights, on: data.train, normalisation: data.normalisation, recipe: recipe, random: random
    ) { _ in }
    let valid = try #require(data.valid)
    let scores = try Scorer(compute: compute).score(
      graph, weights, on: valid, normalisation: data.normalisation, batch: 16)
    #expect(Set(scores.keys) == ["rmse", "mae", "r2", "loss"])
    #expect((scores["rmse"] ?? 99) < 0.5 && (scores["r2"] ?? 0) > 0.999)
  }
}
