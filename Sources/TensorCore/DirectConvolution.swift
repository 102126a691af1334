import CKernels

/// A convolution, or one phase of an input gradient, by direct sums over taps.
///
/// Scratch: prepared weights, bias, moments, scratch of the statistics, then a part for each worker.
struct DirectConvolution {
  let taps: TapConvolution
  let compute: Compute
  private let packedFloats: Int, runFloats: Int

  init(_ taps: TapConvolution, compute: Compute) {
    self.taps = taps
    self.compute = compute
    let totals = taps.totals
    packedFloats = totals.packed
    runFloats = paddedChannels(2 * totals.runs)
  }

  /// Packed weights and the list of runs.
  var preparedFloats: Int { packedFloats + runFloats }

  var scratchFloats: Int {
    sharedFloats + max(ConvolutionResults.statisticsScratchFloats(taps.result), compute.threads * workerFloats)
  }

  /// Scratch that all workers share.
  var sharedFloats: Int {
    preparedFloats + taps.result.pixelStride
      + ConvolutionResults.momentFloats(units: taps.units, shape: taps.result)
  }

  var workerFloats: Int { paddedChannels(taps.sourceFloats) + taps.resultFloats }

  func prepare(_ weight: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>) {
    taps.forEachBlock { block in
      var job = taps.packJob(block, dense: weight, packed: prepared)
      compute.kernels.pack(&job)
    }
    UnsafeMutableRawPointer(prepared + packedFloats).withMemoryRebound(to: nr_run.self, capacity: runFloats / 2) {
      taps.writeRuns($0)
    }
  }

  func run(
    source: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue,
    result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let operands = operands(source: source, weight: weight, epilogue: epilogue, result: result, scratch: scratch)
    let workers = scratch + sharedFloats
    compute.forEachChunk(taps.units) { unit, worker in
      _ = runUnit(unit, operands, scratch: workers + worker * workerFloats)
    }
    operands.results.writeStatistics(units: taps.units, scratch: workers, compute: compute) {
      taps.results(taps.strip($0))
    }
    finishReduction(operands)
  }

  /// Adds up the sums that the units have taken for a normalisation.
  func finishReduction(_ operands: ConvolutionOperands) {
    operands.results.finishReduction(units: taps.units, compute: compute) { taps.results(taps.strip($0)) }
  }

  /// Puts what the workers share into scratch.
  func operands(
    source: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue,
    result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) -> ConvolutionOperands {
    ConvolutionOperands(
      source: source, weight: weight, epilogue: epilogue, shape: taps.result, result: result, scratch: scratch,
      preparedFloats: preparedFloats, biasFloats: taps.result.pixelStride, kernels: compute.kernels, prepare: prepare)
  }

  /// Computes a unit; returns the copy of the source that it read.
  ///
  /// - Parameter asksForBoth: Whether it asks for both images that the next unit's source is made of, or the first.
  func runUnit(
    _ unit: Int, _ operands: ConvolutionOperands, scratch: UnsafeMutablePointer<Float>, asksForBoth: Bool = true
  ) -> UnsafePointer<Float> {
    let strip = taps.strip(unit), place = taps.results(strip), results = operands.results
    let prepared = operands.prepared, source = operands.source
    let target = results.target(place, lanes: taps.result.lanes, scratch: scratch + paddedChannels(taps.sourceFloats))
    var job = nr_tap_job()
    let part = taps.gather(strip, from: source, into: scratch, compute.kernels)
    job.source = part
    (job.rows, job.columns) = (Int64(place.rows), Int64(place.columns))
    job.source_column = Int64(16 * taps.x.sourceStep)
    job.source_row = Int64(taps.scratchColumns * 16 * taps.y.sourceStep)
    (job.result_row, job.result_column) = (Int64(target.rowStride), Int64(target.columnStride))
    let runs = UnsafeRawPointer(prepared + packedFloats).assumingMemoryBound(to: nr_run.self)
    let next = taps.sourceAhead(unit + 1, source)
    let ahead = MemoryAhead(regions: (next.0, asksForBoth ? next.1 : nr_ahead(), results.ahead(place)))
    taps.forEachBlock { block in
      job.ahead = ahead.part(taps.index(of: block), of: taps.blockCount)
      job.runs = runs + block.runOffset
      job.run_count = Int64(block.runCount)
      job.result = target.pointer + block.firstLane
      job.vectors = Int64(block.vectors)
      job.last_lanes = Int64(block.lanes - (block.vectors - 1) * 16)
      job.weights = prepared + block.packedOffset
      job.bias = operands.bias + block.firstLane
      compute.kernels.taps(&job)
    }
    results.finish(place, lanes: taps.result.lanes, at: target, unit: unit)
    return part
  }
}
