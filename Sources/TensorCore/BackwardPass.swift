import CKernels

/// The two sums over the batch that all gradients of a normalisation need, and what follows from them.
struct BackwardPass {
  /// A clamp after the normalisation `scale · x + shift`.
  struct Clamp {
    let scale: UnsafePointer<Float>, shift: UnsafePointer<Float>
    let low: Float, high: Float
  }

  let rows: Int, channels: Int
  let input: UnsafePointer<Float>
  /// 0 mean, 1 inverse deviation, 2 scale, 3 sum of dy, 4 sum of dy · x̂; from 8 on, the sums of chunks.
  let vectors: ChannelVectors
  let clamp: Clamp?

  /// Scratch is `BatchNormalization.scratchFloats` but one vector, and in use as long as the pass.
  init(
    rows: Int, channels: Int, input: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, clamp: Clamp? = nil,
    scratch: UnsafeMutablePointer<Float>
  ) {
    self.rows = rows
    self.channels = channels
    self.input = input
    self.clamp = clamp
    vectors = ChannelVectors(channels: channels, storage: scratch)
    vectors.set(0) { mean[$0] }
    vectors.set(1) { inverseDeviation[$0] }
    vectors.set(2) { inverseDeviation[$0] * (gamma?[$0] ?? 1) }
  }

  // MARK: The sums

  /// Sums over all rows of a gradient of the output.
  func sum(_ outputGradient: UnsafePointer<Float>, compute: Compute) {
    let width = vectors.width, chunks = RowChunks(rows: rows), partial = vectors[8]
    compute.forEachChunk(chunks.count) { chunk, _ in
      let range = chunks[chunk]
      let first = range.lowerBound * width
      sum(
        outputGradient, first: first, rows: range.count, lanes: 0..<width,
        into: partial + 2 * chunk * width, compute.kernels)
    }
    vectors[3].update(from: partial, count: 2 * width)
    for chunk in 1..<max(1, chunks.count) {
      compute.kernels.accumulate(partial + 2 * chunk * width, 1, vectors[3], Int64(2 * width))
    }
  }

  /// The two sums of some channels, a whole vector apart, over rows from float `first` on.
  func sum(
    _ outputGradient: UnsafePointer<Float>, first: Int, rows: Int, lanes: Range<Int>,
    into part: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let lane = lanes.lowerBound
    var job = nr_normalise_sums_job(
      input: input + first, gradient: outputGradient + first, mean: vectors[0] + lane, deviation: vectors[1] + lane,
      scale: clamp.map { $0.scale + lane }, shift: clamp.map { $0.shift + lane }, low: clamp?.low ?? 0,
      high: clamp?.high ?? 0, gradient_sum: part, product_sum: part + vectors.width, rows: Int64(rows),
      row: Int64(vectors.width), channels: Int64(lanes.count))
    kernels.normalise_sums(&job)
  }

  /// Adds the sums of parts of the rows, one after the other and in double precision.
  func add(parts: UnsafePointer<Float>, count: Int) {
    let lanes = 2 * vectors.width
    UnsafeMutableRawPointer(vectors[8]).withMemoryRebound(to: Double.self, capacity: lanes) { totals in
      totals.update(repeating: 0, count: lanes)
      for part in 0..<count {
        let sums = parts + part * lanes
        for lane in 0..<lanes { totals[lane] += Double(sums[lane]) }
      }
      for lane in 0..<lanes { vectors[3][lane] = Float(totals[lane]) }
    }
  }

  func scaleSums(by factor: Float, _ kernels: nr_kernels) {
    kernels.scale(vectors[3], factor, vectors[3], Int64(2 * vectors.width))
  }

  // MARK: What follows from them

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

  func writeInputGradient(
    _ inputGradient: UnsafeMutablePointer<Float>, from outputGradient: UnsafePointer<Float>,
    statisticsDependOnInput: Bool, compute: Compute
  ) {
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
