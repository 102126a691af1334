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
  /// `[unit][mean, squares][pixelStride]`; of a gradient, the two sums of a normalisation's reduction.
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

  /// Where to write some channels of a strip: to their place, or into scratch for as many floats.
  func target(_ strip: Strip, lanes: Range<Int>, scratch: UnsafeMutablePointer<Float>) -> Target {
    isIndirect
      ? Target(pointer: scratch, rowStride: strip.columns * lanes.count, columnStride: lanes.count)
      : Target(
        pointer: result + (strip.offset + lanes.lowerBound), rowStride: strip.rowStride,
        columnStride: strip.columnStride)
  }

  /// Takes over channels of a strip that the kernels have written.
  ///
  /// - Parameter isClamped: to `kernelBounds` already.
  func finish(_ strip: Strip, lanes: Range<Int>, at target: Target, unit: Int, isClamped: Bool = false) {
    let first = strip.offset + lanes.lowerBound
    if isMasked || (epilogue.clamps && !isClamped) {
      var job = nr_epilogue_job()
      job.values = UnsafePointer(target.pointer)
      job.mask = epilogue.mask.map { $0 + first }
      job.addend = epilogue.addend.map { $0 + first }
      job.result = result + first
      (job.rows, job.columns, job.channels) = (Int64(strip.rows), Int64(strip.columns), Int64(lanes.count))
      (job.value_row, job.value_column) = (Int64(target.rowStride), Int64(target.columnStride))
      (job.result_row, job.result_column) = (Int64(strip.rowStride), Int64(strip.columnStride))
      (job.mask_high, job.low, job.high) = (epilogue.maskHigh, epilogue.low, epilogue.high)
      kernels.epilogue(&job)
    }
    guard strip.isContiguous else { return }
    let part = moments + (2 * unit * shape.pixelStride + lanes.lowerBound), rows = strip.rows * strip.columns
    if wantsStatistics {
      kernels.moments(
        result + first, Int64(rows), Int64(shape.pixelStride), Int64(lanes.count), part, part + shape.pixelStride)
    }
    epilogue.reduction?.sum(result, first: first, rows: rows, lanes: lanes, into: part, kernels)
  }

  /// Adds up what all units gave to a normalisation's reduction, in their order.
  func finishReduction(units: Int, compute: Compute, strip: (Int) -> Strip) {
    guard let reduction = epilogue.reduction else { return }
    if strip(0).isContiguous {
      reduction.finish(parts: moments, count: units, kernels)
    } else {
      reduction.run(outputGradient: result, compute: compute)
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
