import CKernels

/// Steps of optimisers that adapt to the size of past gradients, on flat arrays; formulas of `torch.optim`.
public enum AdaptiveUpdate {
  /// One step of Adam (Kingma & Ba 2015), or AdamW (Loshchilov & Hutter 2019) when `decoupled`:
  /// m = β₁ m + (1 − β₁) g, v = β₂ v + (1 − β₂) g², parameter −= rate / c₁ · m / (√v / √c₂ + epsilon).
  ///
  /// - Parameters:
  ///   - corrections: c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ of this step.
  ///   - weightDecay: added to the gradient times the parameter, or with `decoupled` times the rate taken off the
  ///     parameter.
  public static func adam(
    parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
    square: UnsafeMutablePointer<Float>, count: Int, rate: Double, betas: (Double, Double),
    corrections: (Double, Double), epsilon: Double, weightDecay: Double, decoupled: Bool, compute: Compute
  ) {
    var job = nr_adam_job(
      parameter: parameters, mean: mean, square: square, gradient: gradient, count: Int64(count),
      step: Float(rate / corrections.0), root: Float(corrections.1.squareRoot()), epsilon: Float(epsilon),
      fresh_mean: Float(1 - betas.0), kept_square: Float(betas.1), fresh_square: Float(1 - betas.1),
      shrink: decoupled ? Float(1 - rate * weightDecay) : 1, decay: decoupled ? 0 : Float(weightDecay))
    compute.kernels.adam(&job)
  }

  /// One step of RMSProp (Hinton 2012): v = α v + (1 − α) g², d = g / (√v + epsilon); with a momentum
  /// b = momentum · b + d and parameter −= rate · b, else parameter −= rate · d.
  public static func rmsprop(
    parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, square: UnsafeMutablePointer<Float>,
    momentumBuffer: UnsafeMutablePointer<Float>, count: Int, rate: Double, alpha: Double, epsilon: Double,
    momentum: Double, weightDecay: Double
  ) {
    let rate = Float(rate), kept = Float(alpha), fresh = Float(1 - alpha), epsilon = Float(epsilon)
    let momentum = Float(momentum), decay = Float(weightDecay)
    for i in 0..<count {
      let g = gradient[i] + decay * parameters[i]
      square[i] = square[i] * kept + fresh * g * g
      momentumBuffer[i] = momentum * momentumBuffer[i] + g / (square[i].squareRoot() + epsilon)
      parameters[i] -= rate * momentumBuffer[i]
    }
  }
}
