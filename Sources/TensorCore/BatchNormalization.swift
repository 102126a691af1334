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
        input + range.lowerBound * width, Int64(range.count), Int64(width), part, part + width)
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
  /// zero.
  public static func affine(
    channels: Int, mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, epsilon: Float,
    gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?, scale: UnsafeMutablePointer<Float>,
    shift: UnsafeMutablePointer<Float>
  ) {
    let factors = ChannelVectors(channels: channels, storage: scale)
    factors.set(0) { Float(Double(gamma?[$0] ?? 1) / (Double(variance[$0]) + Double(epsilon)).squareRoot()) }
    ChannelVectors(channels: channels, storage: shift).set(0) {
      Float(Double(beta?[$0] ?? 0) - Double(mean[$0]) * Double(scale[$0]))
    }
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

  /// The sums of the gradients of `normalise`, as vectors from which a reader makes the input's gradient itself.
  ///
  /// The gradient of a clamp to `low ... high` that follows the normalisation is taken too: dy counts as 0 where
  /// `low < scale · x + shift < high` doesn't hold.
  ///
  /// - Parameters:
  ///   - statisticsDependOnInput: Whether mean and variance are those of the rows, or constants.
  ///   - clamp: The clamp that follows, or nil.
  ///   - factor: What the output gradient is multiplied by, first of all.
  ///   - gammaGradient: Overwritten, or nil if not wanted; likewise `betaGradient`.
  public static func gradientCoefficients(
    rows: Int, channels: Int, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, epsilon: Float, gamma: UnsafePointer<Float>?,
    beta: UnsafePointer<Float>?, statisticsDependOnInput: Bool, clamp: (low: Float, high: Float)?, factor: Float = 1,
    coefficients k: GradientCoefficients, gammaGradient: UnsafeMutablePointer<Float>?,
    betaGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    affine(
      channels: channels, mean: mean, variance: variance, epsilon: epsilon, gamma: gamma, beta: beta, scale: k[3],
      shift: k[4])
    let deviation = scratch, rest = scratch + paddedChannels(channels)
    inverseDeviation(channels: channels, variance: variance, epsilon: epsilon, result: deviation)
    let pass = BackwardPass(
      rows: rows, channels: channels, input: input, outputGradient: outputGradient, mean: mean,
      inverseDeviation: deviation, gamma: gamma,
      clamp: clamp.map { BackwardPass.Clamp(scale: k[3], shift: k[4], low: $0.low, high: $0.high) }, scratch: rest,
      compute: compute)
    pass.scaleSums(by: factor)
    pass.reportSums(gammaGradient: gammaGradient, betaGradient: betaGradient)
    pass.writeCoefficients(k, factor: factor, statisticsDependOnInput: statisticsDependOnInput)
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
      rows: rows, channels: channels, input: input, outputGradient: outputGradient, mean: mean,
      inverseDeviation: inverseDeviation, gamma: gamma, clamp: nil, scratch: scratch, compute: compute)
    pass.reportSums(gammaGradient: gammaGradient, betaGradient: betaGradient)
    pass.writeInputGradient(inputGradient, statisticsDependOnInput: true)
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
      rows: rows, channels: channels, input: input, outputGradient: outputGradient, mean: mean,
      inverseDeviation: inverseDeviation, gamma: gamma, clamp: nil, scratch: scratch, compute: compute)
    pass.reportSums(gammaGradient: gammaGradient, betaGradient: betaGradient)
    pass.writeInputGradient(inputGradient, statisticsDependOnInput: false)
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

/// The two sums that all backward modes need, and the pass that uses them.
private struct BackwardPass {
  /// A clamp after the normalisation `scale · x + shift`.
  struct Clamp {
    let scale: UnsafePointer<Float>, shift: UnsafePointer<Float>
    let low: Float, high: Float
  }

  let rows: Int, channels: Int
  let input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>
  /// 0 mean, 1 inverse deviation, 2 scale, 3 sum of dy, 4 sum of dy · x̂.
  let vectors: ChannelVectors
  let clamp: Clamp?
  let compute: Compute

  init(
    rows: Int, channels: Int, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, clamp: Clamp?,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    self.rows = rows
    self.channels = channels
    self.input = input
    self.outputGradient = outputGradient
    self.clamp = clamp
    self.compute = compute
    vectors = ChannelVectors(channels: channels, storage: scratch)
    vectors.set(0) { mean[$0] }
    vectors.set(1) { inverseDeviation[$0] }
    vectors.set(2) { inverseDeviation[$0] * (gamma?[$0] ?? 1) }
    sumChunks(partial: vectors[8])
  }

  private func sumChunks(partial: UnsafeMutablePointer<Float>) {
    let width = vectors.width, chunks = RowChunks(rows: rows)
    compute.forEachChunk(chunks.count) { chunk, _ in
      let range = chunks[chunk], part = partial + 2 * chunk * width
      var job = nr_normalise_sums_job(
        input: input + range.lowerBound * width, gradient: outputGradient + range.lowerBound * width,
        mean: vectors[0], deviation: vectors[1], scale: clamp?.scale, shift: clamp?.shift, low: clamp?.low ?? 0,
        high: clamp?.high ?? 0, gradient_sum: part, product_sum: part + width,
        rows: Int64(range.count), pixel: Int64(width))
      compute.kernels.normalise_sums(&job)
    }
    vectors[3].update(from: partial, count: 2 * width)
    for chunk in 1..<max(1, chunks.count) {
      compute.kernels.accumulate(partial + 2 * chunk * width, 1, vectors[3], Int64(2 * width))
    }
  }

  func scaleSums(by factor: Float) {
    compute.kernels.scale(vectors[3], factor, vectors[3], Int64(2 * vectors.width))
  }

  func reportSums(gammaGradient: UnsafeMutablePointer<Float>?, betaGradient: UnsafeMutablePointer<Float>?) {
    betaGradient?.update(from: vectors[3], count: channels)
    gammaGradient?.update(from: vectors[4], count: channels)
  }

  /// From dx = s · (dy − Σdy / n − x̂ · Σ(dy · x̂) / n) with s = gamma · d and x̂ = (x − mean) · d, d the inverse deviation.
  func writeCoefficients(
    _ k: BatchNormalization.GradientCoefficients, factor: Float, statisticsDependOnInput: Bool
  ) {
    let share = statisticsDependOnInput ? 1 / Double(rows) : 0
    let k = ChannelVectors(channels: channels, storage: k.vectors)
    k.set(0) { vectors[2][$0] * factor }
    k.set(1) { Float(-Double(vectors[2][$0]) * Double(vectors[1][$0]) * Double(vectors[4][$0]) * share) }
    k.set(2) {
      Float(-Double(vectors[2][$0]) * Double(vectors[3][$0]) * share - Double(k[1][$0]) * Double(vectors[0][$0]))
    }
  }

  func writeInputGradient(_ inputGradient: UnsafeMutablePointer<Float>, statisticsDependOnInput: Bool) {
    let share = statisticsDependOnInput ? 1 / Float(rows) : 0
    vectors.set(5) { vectors[3][$0] * share }
    vectors.set(6) { vectors[4][$0] * share }
    let width = vectors.width, pieces = RowPieces(rows: rows, width: width)
    compute.forEachChunk(pieces.count) { piece, _ in
      let range = pieces[piece], start = range.lowerBound * width
      var job = nr_normalise_gradient_job(
        input: input + start, gradient: outputGradient + start, mean: vectors[0], deviation: vectors[1],
        scale: vectors[2], gradient_mean: vectors[5], product_mean: vectors[6], output: inputGradient + start,
        rows: Int64(range.count), pixel: Int64(width))
      compute.kernels.normalise_gradient(&job)
    }
  }
}
