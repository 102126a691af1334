import Canonical
import Diagnostics
import TensorCore

/// Stochastic gradient descent with momentum, as PyTorch's `SGD` computes it:
/// `g ← g + weightDecay · w`, `v ← momentum · v + g`, `w ← w − lr · (g + momentum · v)` with Nesterov's momentum,
/// `w ← w − lr · v` without.
public struct SGD: Hashable, Sendable {
  public var momentum: Double
  public var nesterov: Bool
  public var weightDecay: Double
  /// The kinds of parameters that weight decay leaves alone.
  public var undecayed: Set<ParameterKind>
  /// The largest global norm of the gradients: larger ones are scaled down to it. Nil for no clipping.
  public var clipNorm: Double?

  /// Momentum 0.9 with Nesterov's correction and no weight decay, unless said otherwise.
  /// Throws a `recipe` fault for a value out of range.
  public init(
    momentum: Double = 0.9, nesterov: Bool = true, weightDecay: Double = 0, undecayed: Set<ParameterKind> = [],
    clipNorm: Double? = nil
  ) throws {
    guard (0..<1).contains(momentum) else {
      throw Fault(.recipe, "wrong momentum", expected: "at least 0 and below 1", got: "\(momentum)")
    }
    guard !nesterov || momentum > 0 else {
      throw Fault(.recipe, "Nesterov's momentum needs a momentum", expected: "momentum above 0", got: "\(momentum)")
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw Fault(.recipe, "wrong weight decay", expected: "0 or more", got: "\(weightDecay)")
    }
    guard clipNorm.map({ $0 > 0 }) ?? true else {
      throw Fault(.recipe, "wrong clipping norm", expected: "above 0", got: "\(clipNorm ?? 0)")
    }
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.undecayed = undecayed
    self.clipNorm = clipNorm
  }
}

extension TrainingPlan {
  /// One step of training on what `setInput` and `setLabels` wrote: forward, backward, clip, update. Returns the loss
  /// before the update, finite or not.
  public func step(_ state: TrainingState, _ optimiser: SGD, learningRate: Double) throws -> Float {
    let loss = try forwardBackward(state.weights, step: state.step)
    let scale = clipFactor(optimiser)
    for part in trained {
      let start = part.range.lowerBound
      ParameterUpdate.sgd(
        parameters: state.weights.buffer.pointer.advanced(by: start),
        gradient: plan.gradients.pointer.advanced(by: start),
        momentumBuffer: state.momentum.pointer.advanced(by: start), count: part.range.count,
        learningRate: Float(learningRate), momentum: Float(optimiser.momentum), nesterov: optimiser.nesterov,
        weightDecay: optimiser.undecayed.contains(part.kind) ? 0 : Float(optimiser.weightDecay),
        gradientScale: scale, firstStep: state.step == 0, compute: plan.compute)
    }
    state.step += 1
    return loss
  }

  /// The global norm of all gradients, in the order of the parameters.
  public var gradientNorm: Double {
    var sum = 0.0
    for part in trained {
      sum += ParameterUpdate.squaredNorm(
        plan.gradients.pointer.advanced(by: part.range.lowerBound), count: part.range.count, compute: plan.compute)
    }
    return sum.squareRoot()
  }

  /// What clipping multiplies the gradients by: `clipNorm / (norm + 1e-6)`, at most 1 (PyTorch's `clip_grad_norm_`).
  private func clipFactor(_ optimiser: SGD) -> Float {
    guard let clipNorm = optimiser.clipNorm else { return 1 }
    return Float(min(1, clipNorm / (gradientNorm + 1e-6)))
  }
}
