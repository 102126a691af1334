import Canonical
import Foundation
import NeuralNet
import TensorCore
import Testing

/// Twenty steps of each optimiser on a quadratic, against PyTorch.
@Suite struct TensorOptimiserTests {
  private static let rules: [(name: String, rule: UpdateRule, rate: Double)] = [
    ("sgd", .sgd(try! SGD(momentum: 0.9, nesterov: true, weightDecay: 0.01)), 0.05),
    ("adam", .adam(betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, decoupled: false), 0.1),
    ("adamw", .adam(betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.05, decoupled: true), 0.1),
    ("rmsprop", .rmsprop(alpha: 0.99, epsilon: 1e-8, momentum: 0.5, weightDecay: 0.01), 0.02),
  ]

  @Test(arguments: rules.indices)
  func twentyStepsAreThoseOfPyTorch(index: Int) throws {
    let (name, rule, rate) = Self.rules[index]
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../References/optimisers.json")
    let references = try JSONDecoder().decode([String: [Float]].self, from: Data(contentsOf: file))
    let expected = try #require(references[name])
    let compute = try Compute(), tape = try Tape(compute: compute) { 0 }
    let parameter = try NeuralNet.Tensor([4], [0.3, 0.1, -0.4, 2], requiresGradient: true)
    let minusTarget = try NeuralNet.Tensor([4], [-1, 2, -0.5, -3])
    let twice = try NeuralNet.Tensor([4], [2, 1, 4, 0.5])
    let optimiser = try TensorOptimiser([parameter], rule: rule, learningRate: rate, compute: compute)
    for _ in 0..<20 {
      let difference = try tape.recording(false) { try tape.apply("add", [parameter, minusTarget]) }
      parameter.gradient = try tape.apply("mul", [difference, twice])
      optimiser.step()
    }
    for (value, wanted) in zip(parameter.values, expected) {
      #expect(abs(value - wanted) < 5e-6, "\(name): expected \(wanted), got \(value)")
    }
  }
}
