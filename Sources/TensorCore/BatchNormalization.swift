import CKernels

/// Batch normalisation over rows of channels: `[rows, C]`, `paddedChannels(C)` floats from a row to the next.
///
/// y = (x − mean) / √(variance + ε) · gamma + beta (Ioffe and Szegedy, "Batch Normalization", 2015). Vectors of
/// `channels` floats (mean, variance, gamma, beta and their gradients) are dense.
public enum BatchNormalization {
  /// Floats of scratch that each operation needs at most.
  public static func scratchFloats(channels: Int) -> Int { (2 * maximalChunks + 9) * paddedChannels(channels) }

  /// Mean and biased variance of each channel over the rows.
  ///
  /// Chunks of rows have their own mean and sum of squared deviations, merged in chunk order and in double precision
  /// by the update of Chan, Golub and LeVeque. For the unbiased variance multiply by rows / (rows − 1).
  public static func statistics(
    rows: Int, channels: Int, input: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
    variance: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let width = paddedChannels(channels), chunks = RowChunks(rows: rows)
    compute.forEachChunk(chunks.count) { chunk, _ in
      let range = chunks[chunk], part = scratch + 2 * chunk * width
      compute.kernels.moments(
        input + range.lowerBound * width, Int64(range.count), Int64(width), Int64(width), part,
        part + width)
    }
    for channel in 0..<channels {
      var count = 0.0, average = 0.0, squares = 0.0
      for chunk in 0..<chunks.count {
        let part = scratch + 2 * chunk * width + channel
        let added = Double(chunks[chunk].count), delta = Double(part[0]) - average
        average += delta * (added / (count + added))
        squares += Double(part[width]) + delta * delta * (count * added / (count + added))
        count += added
      }
      mean[channel] = Float(average)
      variance[channel] = Float(squares / count)
    }
  }

  /// result = 1 / √(variance + epsilon), for each channel.
  public static func inverseDeviation(
    channels: Int, variance: UnsafePointer<Float>, epsilon: Float, result: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<channels {
      result[channel] = Float(1 / (Double(variance[channel]) + Double(epsilon)).squareRoot())
    }
  }

  /// output = (input − mean) · inverseDeviation · gamma + beta; in place if wanted.
  ///
  /// - Parameters:
  ///   - gamma: Factors, or nil for 1; likewise `beta`, nil for 0.
  public static func normalise(
    rows: Int, channels: Int, input: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    var term = Term(
      input, channels: channels, mean: mean, inverseDeviation: inverseDeviation, gamma: gamma, beta: beta,
      storage: scratch)
    withUnsafePointer(to: &term) {
      sum(
        rows: rows, channels: channels, terms: UnsafeBufferPointer(start: $0, count: 1), output: output,
        compute: compute)
    }
  }

  /// A normalisation as one multiplication and one addition, `scale · x + shift`: channel-padded vectors, padding lanes
  /// zero. Whoever normalises goes by these, so that all have the same bits.
  public static func affine(
    channels: Int, mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?,
    beta: UnsafePointer<Float>?, scale: UnsafeMutablePointer<Float>, shift: UnsafeMutablePointer<Float>
  ) {
    ChannelVectors(channels: channels, storage: scale).set(0) { inverseDeviation[$0] * (gamma?[$0] ?? 1) }
    ChannelVectors(channels: channels, storage: shift).set(0) {
      Float(Double(beta?[$0] ?? 0) - Double(mean[$0]) * Double(scale[$0]))
    }
  }

  /// The same from the variance.
  public static func affine(
    channels: Int, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, epsilon: Float,
    gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?, scale: UnsafeMutablePointer<Float>,
    shift: UnsafeMutablePointer<Float>
  ) {
    // The shift's storage holds the inverse deviations until it gets the shift.
    inverseDeviation(channels: channels, variance: variance, epsilon: epsilon, result: shift)
    affine(
      channels: channels, mean: mean, inverseDeviation: shift, gamma: gamma, beta: beta, scale: scale, shift: shift)
  }

  /// What the gradients of a normalisation need of the whole batch, for whoever makes the input's from
  /// `k1 · dy + k2 · x + k3`.
  public struct GradientCoefficients {
    /// Channel-padded vectors, one after the other: k1, k2, k3, then scale and shift of the normalisation itself.
    public let vectors: UnsafeMutablePointer<Float>
    private let width: Int

    /// `storage` has `storageFloats` floats.
    public init(channels: Int, storage: UnsafeMutablePointer<Float>) {
      (vectors, width) = (storage, paddedChannels(channels))
    }

    public static func storageFloats(channels: Int) -> Int { 5 * paddedChannels(channels) }

    /// k1, k2, k3, scale, shift for 0 to 4.
    public subscript(index: Int) -> UnsafeMutablePointer<Float> { vectors + index * width }
  }

  /// The gradients of `normalise` where mean and variance are those of the same rows, and so depend on the input.
  ///
  /// With x̂ = (x − mean) · inverseDeviation: betaGradient = Σ dy, gammaGradient = Σ dy · x̂, and
  /// inputGradient = gamma · inverseDeviation · (dy − betaGradient / rows − x̂ · gammaGradient / rows).
  ///
  /// - Parameters:
  ///   - gamma: The factors, or nil for 1.
  ///   - gammaGradient: Overwritten, or nil if not wanted; likewise `betaGradient`.
  ///   - inputGradient: May be the output gradient's or the input's memory.
  public static func backward(
    rows: Int, channels: Int, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?,
    inputGradient: UnsafeMutablePointer<Float>, gammaGradient: UnsafeMutablePointer<Float>?,
    betaGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let pass = BackwardPass(
      rows: rows, channels: channels, input: input, mean: mean, inverseDeviation: inverseDeviation, gamma: gamma,
      scratch: scratch)
    pass.sum(outputGradient, compute: compute)
    pass.reportSums(gammaGradient: gammaGradient, betaGradient: betaGradient)
    pass.writeInputGradient(inputGradient, from: outputGradient, statisticsDependOnInput: true, compute: compute)
  }

  /// The gradients of `normalise` where mean and variance are constants, such as the running statistics:
  /// inputGradient = gamma · inverseDeviation · dy, the others as in `backward`.
  public static func runningBackward(
    rows: Int, channels: Int, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?,
    inputGradient: UnsafeMutablePointer<Float>, gammaGradient: UnsafeMutablePointer<Float>?,
    betaGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let pass = BackwardPass(
      rows: rows, channels: channels, input: input, mean: mean, inverseDeviation: inverseDeviation, gamma: gamma,
      scratch: scratch)
    pass.sum(outputGradient, compute: compute)
    pass.reportSums(gammaGradient: gammaGradient, betaGradient: betaGradient)
    pass.writeInputGradient(inputGradient, from: outputGradient, statisticsDependOnInput: false, compute: compute)
  }
}

/// Padded vectors of channels in scratch.
struct ChannelVectors {
  let channels: Int, storage: UnsafeMutablePointer<Float>
  var width: Int { paddedChannels(channels) }

  subscript(index: Int) -> UnsafeMutablePointer<Float> { storage + index * width }

  /// Fills a vector, padding lanes zero.
  func set(_ index: Int, _ value: (_ channel: Int) -> Float) {
    let vector = self[index]
    for channel in 0..<channels { vector[channel] = value(channel) }
    for lane in channels..<width { vector[lane] = 0 }
  }
}

/// Rows cut into pieces that don't depend on each other.
struct RowPieces {
  let rows: Int, length: Int
  var count: Int { (rows + length - 1) / length }

  init(rows: Int, width: Int) {
    self.rows = rows
    length = max(1, 32_768 / width)
  }

  subscript(piece: Int) -> Range<Int> { piece * length..<min(rows, (piece + 1) * length) }
}
