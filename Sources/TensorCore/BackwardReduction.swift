import CKernels

extension BatchNormalization {
  /// The reduction over the batch for the gradients of `normalise`: the sums of dy and of dy · x̂ of each channel, from
  /// which a reader makes the input's gradient itself (`GradientCoefficients`).
  ///
  /// The gradient of a clamp to `low ... high` that follows the normalisation is taken too: dy counts as 0 where
  /// `low < scale · x + shift < high` doesn't hold. Runs over a gradient that is in memory, or as part of the
  /// convolution's epilogue that writes the gradient (`Convolution.Epilogue`).
  public struct BackwardReduction {
    private let pass: BackwardPass
    private let factor: Float
    private let statisticsDependOnInput: Bool
    private let coefficients: GradientCoefficients
    private let gammaGradient: UnsafeMutablePointer<Float>?, betaGradient: UnsafeMutablePointer<Float>?

    /// - Parameters:
    ///   - statisticsDependOnInput: Whether mean and variance are those of the rows, or constants.
    ///   - clamp: The clamp that follows, or nil.
    ///   - factor: What the output gradient is multiplied by, first of all.
    ///   - gammaGradient: Overwritten, or nil if not wanted; likewise `betaGradient`.
    ///   - scratch: `scratchFloats` floats, in use until the sums are taken.
    public init(
      rows: Int, channels: Int, input: UnsafePointer<Float>, mean: UnsafePointer<Float>,
      variance: UnsafePointer<Float>, epsilon: Float, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
      statisticsDependOnInput: Bool, clamp: (low: Float, high: Float)?, factor: Float = 1,
      coefficients k: GradientCoefficients, gammaGradient: UnsafeMutablePointer<Float>?,
      betaGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>
    ) {
      affine(
        channels: channels, mean: mean, variance: variance, epsilon: epsilon, gamma: gamma, beta: beta, scale: k[3],
        shift: k[4])
      inverseDeviation(channels: channels, variance: variance, epsilon: epsilon, result: scratch)
      pass = BackwardPass(
        rows: rows, channels: channels, input: input, mean: mean, inverseDeviation: scratch, gamma: gamma,
        clamp: clamp.map { BackwardPass.Clamp(scale: k[3], shift: k[4], low: $0.low, high: $0.high) },
        scratch: scratch + paddedChannels(channels))
      (self.factor, self.statisticsDependOnInput, coefficients) = (factor, statisticsDependOnInput, k)
      (self.gammaGradient, self.betaGradient) = (gammaGradient, betaGradient)
    }

    /// Takes the sums of a gradient in memory, and writes what follows from them.
    public func run(outputGradient: UnsafePointer<Float>, compute: Compute) {
      pass.sum(outputGradient, compute: compute)
      finish(compute.kernels)
    }

    /// The sums of some channels over rows, from float `first` of the input and of the output gradient on.
    func sum(
      _ outputGradient: UnsafePointer<Float>, first: Int, rows: Int, lanes: Range<Int>,
      into part: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
    ) {
      pass.sum(outputGradient, first: first, rows: rows, lanes: lanes, into: part, kernels)
    }

    /// Adds up the parts, in their order, and writes what follows from them.
    func finish(parts: UnsafePointer<Float>, count: Int, _ kernels: nr_kernels) {
      pass.add(parts: parts, count: count)
      finish(kernels)
    }

    private func finish(_ kernels: nr_kernels) {
      pass.scaleSums(by: factor, kernels)
      pass.reportSums(gammaGradient: gammaGradient, betaGradient: betaGradient)
      pass.writeCoefficients(coefficients, factor: factor, statisticsDependOnInput: statisticsDependOnInput)
    }
  }
}
