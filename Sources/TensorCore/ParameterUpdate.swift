import CKernels

/// What optimisers do to flat, dense arrays of parameters.
public enum ParameterUpdate {
  /// One step of stochastic gradient descent, in the formula of PyTorch's `torch.optim.SGD`:
  /// g = gradient · gradientScale + weightDecay · parameter; buffer = momentum · buffer + g (g in the first step);
  /// parameter −= learningRate · (g + momentum · buffer if Nesterov, else buffer).
  ///
  /// - Parameters:
  ///   - momentumBuffer: As long as the parameters, overwritten in the first step; nil for no momentum.
  ///   - gradientScale: The factor of gradient clipping; by default 1.
  public static func sgd(
    parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    momentumBuffer: UnsafeMutablePointer<Float>?, count: Int, learningRate: Float, momentum: Float = 0,
    nesterov: Bool = false, weightDecay: Float = 0, gradientScale: Float = 1, firstStep: Bool, compute: Compute
  ) {
    var job = nr_sgd_job(
      parameter: parameters, momentum_buffer: momentumBuffer, gradient: gradient, count: Int64(count),
      learning_rate: learningRate, momentum: momentum, weight_decay: weightDecay, gradient_scale: gradientScale,
      nesterov: nesterov ? 1 : 0, first_step: firstStep ? 1 : 0)
    compute.kernels.sgd(&job)
  }

  /// The sum of squares, in double precision and a fixed order: for clipping by the global norm.
  public static func squaredNorm(_ values: UnsafePointer<Float>, count: Int, compute: Compute) -> Double {
    compute.kernels.dot(values, values, Int64(count))
  }
}
