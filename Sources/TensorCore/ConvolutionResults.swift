import CKernels

/// The results of a convolution on their way to memory, strip by strip: the kernels write a strip, the epilogue
/// finishes it while it is in a cache, and its moments are kept for the statistics of the batch.
struct ConvolutionResults {
  /// The results of one unit of work: pixels of one image, or of the whole batch when it is one row of pixels.
  struct Strip {
    /// Floats from the start of the result, and from a row and a column of the strip to the next.
    var offset: Int, rowStride: Int, columnStride: Int
    var rows: Int, columns: Int
    /// Whether the strip's pixels follow each other in memory.
    var isContiguous: Bool
  }

  /// Where the kernels write a strip.
  struct Target {
    var pointer: UnsafeMutablePointer<Float>
    var rowStride: Int, columnStride: Int
  }

  let shape: ImageShape
  let result: UnsafeMutablePointer<Float>
  let epilogue: Convolution.Epilogue
  /// `[unit][mean, squares][pixelStride]`.
  let moments: UnsafeMutablePointer<Float>
  let kernels: nr_kernels

  static func momentFloats(units: Int, shape: ImageShape) -> Int { 2 * units * shape.pixelStride }

  private var wantsStatistics: Bool { epilogue.mean != nil }
  private var isMasked: Bool { epilogue.mask != nil || epilogue.addend != nil }
  /// What a kernel that can clamps its results to, where nothing else comes before that.
  var kernelBounds: (low: Float, high: Float) {
    isMasked ? (-.infinity, .infinity) : (epilogue.low, epilogue.high)
  }
  /// The addend must be read before a result is written over it.
  private var isIndirect: Bool { epilogue.addend != nil }

  /// Where to write a strip: to its place, or into scratch for as many floats as the strip has.
  func target(_ strip: Strip, scratch: UnsafeMutablePointer<Float>) -> Target {
    isIndirect
      ? Target(pointer: scratch, rowStride: strip.columns * shape.pixelStride, columnStride: shape.pixelStride)
      : Target(pointer: result + strip.offset, rowStride: strip.rowStride, columnStride: strip.columnStride)
  }

  /// Takes over a strip that the kernels have written.
  ///
  /// - Parameter isClamped: to `kernelBounds` already.
  func finish(_ strip: Strip, at target: Target, unit: Int, isClamped: Bool = false) {
    if isMasked || (epilogue.clamps && !isClamped) {
      var job = nr_epilogue_job()
      job.values = UnsafePointer(target.pointer)
      job.mask = epilogue.mask.map { $0 + strip.offset }
      job.addend = epilogue.addend.map { $0 + strip.offset }
      job.result = result + strip.offset
      (job.rows, job.columns, job.pixel) = (Int64(strip.rows), Int64(strip.columns), Int64(shape.pixelStride))
      (job.value_row, job.value_column) = (Int64(target.rowStride), Int64(target.columnStride))
      (job.result_row, job.result_column) = (Int64(strip.rowStride), Int64(strip.columnStride))
      (job.mask_high, job.low, job.high) = (epilogue.maskHigh, epilogue.low, epilogue.high)
      kernels.epilogue(&job)
    }
    if wantsStatistics && strip.isContiguous {
      let part = moments + 2 * unit * shape.pixelStride
      kernels.moments(
        result + strip.offset, Int64(strip.rows * strip.columns), Int64(shape.pixelStride), part,
        part + shape.pixelStride)
    }
  }

  /// Merges the moments of all units, in their order and in double precision, by the update of Chan, Golub and LeVeque
  /// ("Algorithms for computing the sample variance", 1983).
  ///
  /// - Parameters:
  ///   - strip: The strip of a unit.
  func writeStatistics(units: Int, scratch: UnsafeMutablePointer<Float>, compute: Compute, strip: (Int) -> Strip) {
    guard let mean = epilogue.mean, let variance = epilogue.variance else { return }
    guard strip(0).isContiguous else {
      return BatchNormalization.statistics(
        rows: shape.rows, channels: shape.c, input: result, mean: mean, variance: variance, scratch: scratch,
        compute: compute)
    }
    UnsafeMutableRawPointer(scratch).withMemoryRebound(to: Double.self, capacity: 2 * shape.c) { sums in
      sums.update(repeating: 0, count: 2 * shape.c)
      var count = 0.0
      for unit in 0..<units {
        let part = moments + 2 * unit * shape.pixelStride, strip = strip(unit)
        let added = Double(strip.rows * strip.columns)
        merge(part, into: sums, share: added / (count + added), between: count * added / (count + added))
        count += added
      }
      for channel in 0..<shape.c {
        mean[channel] = Float(sums[channel])
        variance[channel] = Float(sums[shape.c + channel] / count)
      }
    }
  }

  /// Adds a unit's moments to the averages and sums of squares.
  private func merge(
    _ part: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Double>, share: Double, between: Double
  ) {
    for channel in 0..<shape.c {
      let delta = Double(part[channel]) - sums[channel]
      sums[channel] += delta * share
      sums[shape.c + channel] += Double(part[shape.pixelStride + channel]) + delta * delta * between
    }
  }

  /// Floats of scratch that `writeStatistics` needs.
  static func statisticsScratchFloats(_ shape: ImageShape) -> Int {
    max(paddedChannels(4 * shape.c), BatchNormalization.scratchFloats(channels: shape.c))
  }
}
