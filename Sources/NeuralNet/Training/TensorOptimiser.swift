import Diagnostics
import TensorCore

/// How an optimiser turns gradients into steps.
public enum UpdateRule: Hashable, Sendable {
  case sgd(SGD)
  /// With `decoupled`, AdamW: the decay does not go through the moments.
  case adam(betas: [Double], epsilon: Double, weightDecay: Double, decoupled: Bool)
  case rmsprop(alpha: Double, epsilon: Double, momentum: Double, weightDecay: Double)
}

/// Trains tensors by the gradients that `backward` left in them.
public final class TensorOptimiser {
  /// What an optimiser remembers of one parameter.
  struct State {
    let first: AlignedBuffer
    let second: AlignedBuffer
    var steps = 0
    /// The powers of Adam's betas.
    var powers = (1.0, 1.0)
  }

  public let parameters: [Tensor]
  public let rule: UpdateRule
  public var learningRate: Double
  var states: [State]
  private let compute: Compute

  /// Throws a `recipe` fault for no parameters, a tensor that was computed, or a learning rate out of range.
  public init(_ parameters: [Tensor], rule: UpdateRule, learningRate: Double, compute: Compute) throws {
    guard !parameters.isEmpty else {
      throw Fault(
        .recipe, "an optimiser needs parameters", hint: "A model makes its parameters when it is first called.")
    }
    for (index, tensor) in parameters.enumerated() where !tensor.isLeaf || !tensor.requiresGradient {
      throw Fault(
        .recipe, "parameter \(index + 1) can't be trained", path: tensor.name,
        expected: "a model's parameter or a tensor made with { requires_grad = true }",
        got: tensor.isLeaf ? "a tensor without a gradient" : "a computed tensor")
    }
    self.parameters = parameters
    self.rule = rule
    self.learningRate = learningRate
    self.compute = compute
    states = try parameters.map {
      State(first: try AlignedBuffer(count: $0.count), second: try AlignedBuffer(count: $0.count))
    }
  }

  /// One update. A parameter without a gradient stays, and so does what is remembered of it.
  public func step() {
    for (index, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      update(parameter, UnsafePointer(gradient.storage.pointer), &states[index])
    }
  }

  /// Forgets the gradients.
  public func clearGradients() {
    for parameter in parameters { parameter.gradient = nil }
  }

  /// Scales the gradients down to a global norm; returns the norm before.
  public func clip(norm limit: Double) throws -> Double {
    let gradients = parameters.compactMap(\.gradient)
    let norm = gradients.reduce(0.0) { sum, gradient in
      sum + ParameterUpdate.squaredNorm(gradient.storage.pointer, count: gradient.count, compute: compute)
    }.squareRoot()
    let scale = Float(min(1, limit / (norm + 1e-6)))
    if scale < 1 { for gradient in gradients { try gradient.set(gradient.values.map { $0 * scale }) } }
    return norm
  }

  private func update(_ parameter: Tensor, _ gradient: UnsafePointer<Float>, _ state: inout State) {
    parameter.storage.noteChange()
    let values = parameter.storage.pointer, count = parameter.count
    state.steps += 1
    switch rule {
    case .sgd(let sgd):
      ParameterUpdate.sgd(
        parameters: values, gradient: gradient, momentumBuffer: sgd.momentum > 0 ? state.first.pointer : nil,
        count: count, learningRate: Float(learningRate), momentum: Float(sgd.momentum), nesterov: sgd.nesterov,
        weightDecay: Float(sgd.weightDecay), firstStep: state.steps == 1, compute: compute)
    case .adam(let betas, let epsilon, let weightDecay, let decoupled):
      state.powers = (state.powers.0 * betas[0], state.powers.1 * betas[1])
      AdaptiveUpdate.adam(
        parameters: values, gradient: gradient, mean: state.first.pointer, square: state.second.pointer, count: count,
        rate: learningRate, betas: (betas[0], betas[1]), corrections: (1 - state.powers.0, 1 - state.powers.1),
        epsilon: epsilon, weightDecay: weightDecay, decoupled: decoupled, compute: compute)
    case .rmsprop(let alpha, let epsilon, let momentum, let weightDecay):
      AdaptiveUpdate.rmsprop(
        parameters: values, gradient: gradient, square: state.first.pointer, momentumBuffer: state.second.pointer,
        count: count, rate: learningRate, alpha: alpha, epsilon: epsilon, momentum: momentum, weightDecay: weightDecay)
    }
  }
}
