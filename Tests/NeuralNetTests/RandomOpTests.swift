import Canonical
import Foundation
import NeuralNet
import TensorCore
import Testing

/// Random draws against their distributions: means and variances within five standard errors, at fixed seeds.
@Suite struct RandomOpTests {
  static let batch = 64, width = 500

  private func draw(
    _ op: String, _ attributes: [String: JSONValue] = [:], seed: UInt64 = 7, step: Int = 0, input: [Float]? = nil,
    width: Int = RandomOpTests.width, batch: Int = RandomOpTests.batch
  ) throws -> [Float] {
    let builder = try GraphBuilder(inputs: [("x", [width])])
    let y = try builder.apply(op, builder.inputs, attributes: attributes, name: "op")
    let graph = try builder.finish(outputs: [("y", y)]), random = RandomSource(seed: seed, name: "draws")
    let plan = try GradientPlan(graph, batch: batch, mode: .training, random: random, compute: try Compute())
    let count = y.shape.dimensions.isEmpty ? batch : batch * width
    return try plan.run(
      [input ?? [Float](repeating: 1, count: batch * width)], outputGradient: [Float](repeating: 1, count: count),
      try Weights(graph, random: random), step: step
    ).output
  }

  /// Mean and variance against theory; `kurtosis` is the fourth central moment over the squared variance.
  private func check(_ values: [Float], mean: Double, variance: Double, kurtosis: Double) {
    let count = Double(values.count)
    let actual = values.reduce(0) { $0 + Double($1) } / count
    let spread = values.reduce(0) { $0 + (Double($1) - actual) * (Double($1) - actual) } / count
    #expect(abs(actual - mean) < 5 * (variance / count).squareRoot())
    #expect(abs(spread - variance) < 5 * variance * ((kurtosis - 1) / count).squareRoot())
  }

  @Test func uniformNumbers() throws {
    let values = try draw("random_uniform", ["low": -1, "high": 3])
    check(values, mean: 1, variance: 16.0 / 12, kurtosis: 1.8)
    #expect(values.allSatisfy { (-1..<3).contains($0) })
  }

  @Test func normalNumbers() throws {
    check(try draw("random_normal", ["mean": 2, "deviation": 3]), mean: 2, variance: 9, kurtosis: 3)
  }

  @Test func gumbelNumbers() throws {
    check(
      try draw("gumbel_noise"), mean: 0.577_215_664_9, variance: Double.pi * Double.pi / 6, kurtosis: 5.4)
  }

  @Test func categoricalFrequencies() throws {
    let logits: [Float] = [0, 1, -1, 0.5], batch = 20_000
    let draws = try draw(
      "categorical", input: (0..<(batch * 4)).map { logits[$0 % 4] }, width: 4, batch: batch)
    let total = logits.reduce(0) { $0 + exp(Double($1)) }
    for (index, logit) in logits.enumerated() {
      let expected = exp(Double(logit)) / total
      let actual = Double(draws.filter { $0 == Float(index + 1) }.count) / Double(batch)
      #expect(abs(actual - expected) < 5 * (expected * (1 - expected) / Double(batch)).squareRoot())
    }
  }

  @Test func dropPathDropsWholeSamples() throws {
    let batch = 4000
    let values = try draw("drop_path", ["rate": 0.25], width: 3, batch: batch)
    var kept = 0
    for sample in 0..<batch {
      let row = values[(sample * 3)..<(sample * 3 + 3)]
      #expect(Set(row).count == 1)
      if row.first != 0 {
        #expect(abs((row.first ?? 0) - 4.0 / 3) < 1e-6)
        kept += 1
      }
    }
    #expect(abs(Double(kept) / Double(batch) - 0.75) < 5 * (0.75 * 0.25 / Double(batch)).squareRoot())
  }

  @Test func dirichletMoments() throws {
    let alpha: [Float] = [0.3, 1, 2.5, 0.7], total = 4.5, batch = 8000
    let draws = try draw("dirichlet", input: (0..<(batch * 4)).map { alpha[$0 % 4] }, width: 4, batch: batch)
    for (index, concentration) in alpha.enumerated() {
      let mean = Double(concentration) / total, variance = mean * (1 - mean) / (total + 1)
      let values = stride(from: index, to: draws.count, by: 4).map { Double(draws[$0]) }
      let actual = values.reduce(0, +) / Double(batch)
      #expect(abs(actual - mean) < 5 * (variance / Double(batch)).squareRoot())
      let spread = values.reduce(0) { $0 + ($1 - actual) * ($1 - actual) } / Double(batch)
      #expect(abs(spread - variance) < 0.06 * variance)
    }
    for row in stride(from: 0, to: draws.count, by: 4) {
      #expect(abs(draws[row..<(row + 4)].reduce(0, +) - 1) < 1e-5)
    }
  }

  @Test func drawsDependOnSeedAndStepAlone() throws {
    let first = try draw("random_normal")
    #expect(try draw("random_normal") == first)
    #expect(try draw("random_normal", seed: 8) != first)
    #expect(try draw("random_normal", step: 1) != first)
  }
}
