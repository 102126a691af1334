import CKernels

// Sums over images that are normalised on the way: the edges of a node, or the branches of a mixture, in one pass.

extension BatchNormalization {
  /// One term of a sum: rows of channels, normalised if wanted.
  public struct Term {
    let job: nr_term

    /// The rows as they are, times a factor.
    public init(_ rows: UnsafePointer<Float>, factor: Float = 1) {
      job = nr_term(image: rows, mean: nil, scale: nil, shift: nil, factor: factor)
    }

    /// `factor · ((rows − mean) · inverseDeviation · gamma + beta)`.
    ///
    /// - Parameter storage: `storageFloats` floats that stay until the sum is computed.
    public init(
      _ rows: UnsafePointer<Float>, channels: Int, mean: UnsafePointer<Float>,
      inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>?, beta: UnsafePointer<Float>?,
      factor: Float = 1,
      storage: UnsafeMutablePointer<Float>
    ) {
      let vectors = ChannelVectors(channels: channels, storage: storage)
      vectors.set(0) { mean[$0] }
      vectors.set(1) { inverseDeviation[$0] * (gamma?[$0] ?? 1) }
      vectors.set(2) { beta?[$0] ?? 0 }
      job = nr_term(image: rows, mean: vectors[0], scale: vectors[1], shift: vectors[2], factor: factor)
    }

    /// Floats of storage that a normalised term needs.
    public static func storageFloats(channels: Int) -> Int { 3 * paddedChannels(channels) }
  }

  /// output = the sum of the terms, from the first to the last, clamped to `low ... high`; the output may be a
  /// term's memory.
  public static func sum(
    rows: Int, channels: Int, terms: UnsafeBufferPointer<Term>, low: Float = -.infinity, high: Float = .infinity,
    output: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    guard let first = terms.baseAddress else { return }
    let width = paddedChannels(channels), pieces = RowPieces(rows: rows, width: width)
    first.withMemoryRebound(to: nr_term.self, capacity: terms.count) { jobs in
      compute.forEachChunk(pieces.count) { piece, _ in
        let range = pieces[piece]
        var job = nr_sum_job(
          terms: jobs, result: output, term_count: Int64(terms.count), first: Int64(range.lowerBound * width),
          rows: Int64(range.count), pixel: Int64(width), low: low, high: high)
        compute.kernels.normalised_sum(&job)
      }
    }
  }

  /// result[k] = the sum over all elements of the gradient times term k, without its factor.
  ///
  /// Sums of 64 rows are added in double precision, in a fixed number of chunks.
  public static func dots(
    rows: Int, channels: Int, gradient: UnsafePointer<Float>, terms: UnsafeBufferPointer<Term>,
    result: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    guard let first = terms.baseAddress else { return }
    let width = paddedChannels(channels), chunks = RowChunks(rows: rows)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: chunks.count * terms.count) { sums in
      guard let partial = sums.baseAddress else { return }
      partial.update(repeating: 0, count: sums.count)
      first.withMemoryRebound(to: nr_term.self, capacity: terms.count) { jobs in
        compute.forEachChunk(chunks.count) { chunk, _ in
          let range = chunks[chunk]
          var job = nr_dots_job(
            gradient: gradient, terms: jobs, sums: partial + chunk * terms.count, term_count: Int64(terms.count),
            first: Int64(range.lowerBound * width), rows: Int64(range.count), pixel: Int64(width))
          compute.kernels.normalised_dots(&job)
        }
      }
      for index in 0..<terms.count {
        result[index] = Float((0..<chunks.count).reduce(0.0) { $0 + partial[$1 * terms.count + index] })
      }
    }
  }
}
