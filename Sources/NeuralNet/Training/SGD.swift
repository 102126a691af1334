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

/// The flat buffers of one training, laid out alike, and which parts of them are trained.
package struct ParameterBuffers {
  let parameters: UnsafeMutablePointer<Float>
  let gradients: UnsafePointer<Float>
  let momentum: UnsafeMutablePointer<Float>
  package let trained: [(range: Range<Int>, kind: ParameterKind)]

  package init(
    parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, momentum: UnsafeMutablePointer<Float>,
    trained: [(range: Range<Int>, kind: ParameterKind)]
  ) {
    self.parameters = parameters
    self.gradients = gradients
    self.momentum = momentum
    self.trained = trained
  }
}

extension SGD {
  /// The global norm of gradients, summed in the order of the parameters.
  package static func gradientNorm(
    _ gradients: UnsafePointer<Float>, _ trained: [(range: Range<Int>, kind: ParameterKind)], _ compute: Compute
  ) -> Double {
    var sum = 0.0
    for part in trained {
      sum += ParameterUpdate.squaredNorm(gradients + part.range.lowerBound, count: part.range.count, compute: compute)
    }
    return sum.squareRoot()
  }

  /// One update of the parameters. `isFirst` starts the momentum from the gradient.
  package func update(_ buffers: ParameterBuffers, learningRate: Double, isFirst: Bool, compute: Compute) {
    let scale = clipNorm.map { limit in
      Float(min(1, limit / (Self.gradientNorm(buffers.gradients, buffers.trained, compute) + 1e-6)))
    }
    for part in buffers.trained {
      let start = part.range.lowerBound
      ParameterUpdate.sgd(
        parameters: buffers.parameters + start, gradient: buffers.gradients + start,
        momentumBuffer: momentum > 0 ? buffers.momentum + start : nil, count: part.range.count,
        learningRate: Float(learningRate), momentum: Float(momentum), nesterov: nesterov,
        weightDecay: undecayed.contains(part.kind) ? 0 : Float(weightDecay), gradientScale: scale ?? 1,
        firstStep: isFirst,
        compute: compute)
    }
  }
}

extension TrainingPlan {
  /// One step of training on what `setInput` and `setLabels` wrote: forward, backward, clip, update. Returns the loss
  /// before the update, finite or not.
  public func step(_ state: TrainingState, _ optimiser: SGD, learningRate: Double) throws -> Float {
    let loss = try forwardBackward(state.weights, step: state.step)
    update(state, optimiser, learningRate: learningRate, isFirst: state.step == 0)
    state.step += 1
    return loss
  }

  /// Updates the parameters by the gradients of the last `forwardBackward`; `isFirst` starts the momentum from them.
  func update(_ state: TrainingState, _ optimiser: SGD, learningRate: Double, isFirst: Bool) {
    optimiser.update(buffers(state), learningRate: learningRate, isFirst: isFirst, compute: plan.compute)
  }

  /// The global norm of the gradients of the last step, before clipping.
  public var gradientNorm: Double {
    SGD.gradientNorm(plan.gradients.pointer, trained, plan.compute)
  }

  private func buffers(_ state: TrainingState) -> ParameterBuffers {
    ParameterBuffers(
      parameters: state.weights.mutableValues, gradients: plan.gradients.pointer, momentum: state.momentum.pointer,
      trained: trained)
  }
}
