import CKernels

/// A 3×3 convolution with stride 1, or its input gradient, by Winograd's algorithm.
///
/// Scratch: prepared weights, bias and a zero vector, moments, then a part for each worker or the statistics' scratch.
struct WinogradConvolution {
  let tiling: WinogradTiling
  let compute: Compute

  init(_ taps: TapConvolution, compute: Compute) {
    tiling = WinogradTiling(taps)
    self.compute = compute
  }

  private var taps: TapConvolution { tiling.taps }
  private var biasFloats: Int { taps.result.pixelStride + 32 }

  /// Weights at the points, the list of runs, and the packed weights that they are made from.
  var preparedFloats: Int { tiling.weightFloats + paddedChannels(2 * tiling.sourceBlocks) + taps.totals.packed }

  var scratchFloats: Int {
    sharedFloats + max(ConvolutionResults.statisticsScratchFloats(taps.result), compute.threads * workerFloats)
  }

  /// Scratch that all workers read.
  var sharedFloats: Int {
    preparedFloats + biasFloats + ConvolutionResults.momentFloats(units: tiling.units, shape: taps.result)
  }

  var workerFloats: Int {
    tiling.sourceBlocks * tiling.windowFloats + tiling.lineFloats + tiling.sourceTransformFloats
      + tiling.resultTransformFloats + tiling.unitImages * 4 * tiling.unitRows * taps.result.w * taps.result.pixelStride
  }

  func prepare(_ weight: UnsafePointer<Float>, into prepared: UnsafeMutablePointer<Float>) {
    let runs = prepared + tiling.weightFloats, packed = runs + paddedChannels(2 * tiling.sourceBlocks)
    taps.forEachBlock { block in
      var job = taps.packJob(block, dense: weight, packed: packed)
      compute.kernels.pack(&job)
      compute.kernels.winograd_weight(
        packed + block.packedOffset, Int64(tiling.weightCount(block)), prepared + tiling.weightOffset(block),
        Int64(tiling.weightPoint(block)))
    }
    UnsafeMutableRawPointer(runs).withMemoryRebound(to: nr_run.self, capacity: tiling.sourceBlocks) {
      tiling.writeRuns($0)
    }
  }

  func run(
    source: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue,
    result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let operands = operands(source: source, weight: weight, epilogue: epilogue, result: result, scratch: scratch)
    let workers = scratch + sharedFloats
    compute.forEachChunk(tiling.units) { unit, worker in
      runUnit(unit, operands, scratch: workers + worker * workerFloats)
    }
    operands.results.writeStatistics(units: tiling.units, scratch: workers, compute: compute) {
      tiling.results(tiling.unit($0))
    }
    finishReduction(operands)
  }

  /// Adds up the sums that the units have taken for a normalisation.
  func finishReduction(_ operands: ConvolutionOperands) {
    operands.results.finishReduction(units: tiling.units, compute: compute) { tiling.results(tiling.unit($0)) }
  }

  /// Puts what the workers share into scratch.
  func operands(
    source: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue,
    result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) -> ConvolutionOperands {
    ConvolutionOperands(
      source: source, weight: weight, epilogue: epilogue, shape: taps.result, result: result, scratch: scratch,
      preparedFloats: preparedFloats, biasFloats: biasFloats, kernels: compute.kernels, prepare: prepare)
  }

  /// - Parameter eachImage: Called with the windows of the source of each image.
  func runUnit(
    _ index: Int, _ operands: ConvolutionOperands, scratch: UnsafeMutablePointer<Float>,
    eachImage: (Int) -> Void = { _ in }
  ) {
    let unit = tiling.unit(index), place = tiling.results(unit), results = operands.results
    let line = scratch + tiling.sourceBlocks * tiling.windowFloats, sources = line + tiling.lineFloats
    let products = sources + tiling.sourceTransformFloats
    let target = results.target(place, lanes: taps.result.lanes, scratch: products + tiling.resultTransformFloats)
    tiling.transformSource(
      unit, operands.source, windows: scratch, line: line, into: sources, compute.kernels, eachImage: eachImage)
    var job = productJob(unit, sources, operands.prepared, operands.bias)
    let next = tiling.sourceAhead(index + 1, operands.source)
    let ahead = MemoryAhead(regions: (next.0, next.1, results.ahead(place)))
    taps.forEachBlock { block in
      job.ahead = ahead.part(taps.index(of: block), of: taps.blockCount)
      multiply(block, job, operands.prepared, into: products)
      transformResult(block, unit, products, bias: operands.bias, line: line, to: target)
    }
    results.finish(place, lanes: taps.result.lanes, at: target, unit: index)
  }

  /// The matrix products at the 36 points, without those of a block.
  private func productJob(
    _ unit: WinogradTiling.Unit, _ sources: UnsafePointer<Float>, _ prepared: UnsafePointer<Float>,
    _ bias: UnsafePointer<Float>
  ) -> nr_tap_job {
    var job = nr_tap_job()
    job.source = sources
    job.runs = UnsafeRawPointer(prepared + tiling.weightFloats).assumingMemoryBound(to: nr_run.self)
    job.run_count = Int64(tiling.sourceBlocks)
    job.bias = bias + taps.result.pixelStride
    (job.rows, job.columns) = (36, Int64(unit.images.count * tiling.imageTiles(unit)))
    (job.source_row, job.source_column) = (Int64(tiling.sourcePoint), 16)
    job.result_row = Int64(tiling.resultPoint)
    job.last_lanes = 16
    return job
  }

  /// The products of a block of result channels.
  private func multiply(
    _ block: TapConvolution.Block, _ products: nr_tap_job, _ prepared: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    var job = products
    job.weights = prepared + tiling.weightOffset(block)
    job.weight_row = Int64(tiling.weightPoint(block))
    job.result = result + block.firstLane * tiling.unitTiles
    (job.vectors, job.result_column) = (Int64(block.vectors), Int64(block.vectors * 16))
    compute.kernels.taps(&job)
  }

  private func transformResult(
    _ block: TapConvolution.Block, _ unit: WinogradTiling.Unit, _ products: UnsafeMutablePointer<Float>,
    bias: UnsafePointer<Float>, line: UnsafeMutablePointer<Float>, to target: ConvolutionResults.Target
  ) {
    let rows = tiling.rows(unit).count, width = block.vectors * 16
    var job = nr_winograd_job()
    (job.tile_rows, job.tile_columns) = (Int64(unit.tileRows.count), Int64(tiling.tileColumns))
    (job.row, job.pixel) = (Int64(target.rowStride), Int64(target.columnStride))
    (job.rows, job.columns) = (Int64(rows), Int64(taps.result.w))
    (job.point, job.tile, job.scratch) = (Int64(tiling.resultPoint), Int64(width), line)
    for image in 0..<unit.images.count {
      for vector in 0..<block.vectors {
        let lane = block.firstLane + vector * 16
        job.pixels = UnsafePointer(target.pointer + (image * rows * target.rowStride + lane))
        job.points =
          products + (block.firstLane * tiling.unitTiles + vector * 16 + image * tiling.imageTiles(unit) * width)
        job.bias = bias + lane
        compute.kernels.winograd_result(&job)
      }
    }
  }
}
