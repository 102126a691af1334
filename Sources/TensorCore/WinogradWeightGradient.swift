import CKernels

/// The weight gradient of a 3×3 convolution with stride 1 by the transpose of Winograd's algorithm: each chunk of units
/// sums its products at the 36 points; the sums are added in chunk order and transformed once.
///
/// Scratch: sums of all chunks, list of runs, then a part for each worker or the packed gradient.
struct WinogradWeightGradient {
  let tiling: WinogradTiling
  let compute: Compute

  init(_ taps: TapConvolution, compute: Compute) {
    tiling = WinogradTiling(taps)
    self.compute = compute
  }

  private var taps: TapConvolution { tiling.taps }

  /// At least 64 tiles in a chunk: fewer would not be worth another copy of the weights.
  var chunks: Int { max(1, min(maximalChunks, tiling.units, tiling.units * tiling.unitTiles / 64)) }

  func units(of chunk: Int) -> Range<Int> { tiling.units * chunk / chunks..<tiling.units * (chunk + 1) / chunks }

  var scratchFloats: Int { sharedFloats + max(compute.threads * (tileFloats + workerFloats), taps.totals.packed) }

  /// Scratch that all workers share.
  var sharedFloats: Int { chunks * tiling.weightFloats + paddedChannels(2 * tiling.sourceBlocks) }

  /// Scratch of a worker, after the tiles of an output gradient.
  var workerFloats: Int {
    tiling.sourceBlocks * tiling.windowFloats + tiling.lineFloats + tiling.sourceTransformFloats
      + tiling.resultTransformFloats
  }

  private var tileFloats: Int { 16 * tiling.unitRows * tiling.tileColumns * taps.result.pixelStride }

  func run(
    input: Convolution.Source, outputGradient: Convolution.Source, weightGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let workers = scratch + sharedFloats
    begin(scratch)
    compute.forEachChunk(chunks) { chunk, worker in
      let tiles = workers + worker * (tileFloats + workerFloats)
      for index in units(of: chunk) {
        let unit = tiling.unit(index), ahead = tiling.gradientAhead(index + 1, outputGradient)
        for image in unit.images {
          gather(image, unit, outputGradient, into: tiles)
          transformGradient(
            image, unit, tiles: tiles, columns: 4 * tiling.tileColumns, rows: 4 * unit.tileRows.count,
            scratch: tiles + tileFloats)
        }
        add(index, input, to: chunk, ahead: ahead, shared: scratch, scratch: tiles + tileFloats)
      }
    }
    finish(weightGradient, shared: scratch, packed: workers)
  }

  // MARK: Parts

  /// Clears the sums.
  func begin(_ shared: UnsafeMutablePointer<Float>) {
    compute.kernels.fill(0, shared, Int64(chunks * tiling.weightFloats))
    let runs = UnsafeMutableRawPointer(shared + chunks * tiling.weightFloats)
    runs.withMemoryRebound(to: nr_run.self, capacity: tiling.sourceBlocks) { tiling.writeRuns($0) }
  }

  /// Transforms the tiles of an output gradient: blocks of channels of `rows` × `columns` pixels.
  func transformGradient(
    _ image: Int, _ unit: WinogradTiling.Unit, tiles: UnsafePointer<Float>, columns: Int, rows: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    var job = nr_winograd_job()
    job.pixels = tiles
    (job.tile_rows, job.tile_columns) = (Int64(unit.tileRows.count), Int64(tiling.tileColumns))
    (job.row, job.blocks, job.plane) = (Int64(columns * 16), Int64(tiling.resultBlocks), Int64(rows * columns * 16))
    (job.point, job.block, job.scratch) = (Int64(tiling.resultPoint), Int64(tiling.unitTiles * 16), line(scratch))
    job.points = gradients(scratch) + (image - unit.images.lowerBound) * tiling.imageTiles(unit) * 16
    compute.kernels.winograd_gradient(&job)
  }

  /// Adds the products of a unit whose output gradient is transformed.
  ///
  /// - Parameter ahead: What else the next unit reads.
  func add(
    _ index: Int, _ input: Convolution.Source, to chunk: Int, ahead: (nr_ahead, nr_ahead),
    shared: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let unit = tiling.unit(index), sources = line(scratch) + tiling.lineFloats, gradients = gradients(scratch)
    tiling.transformSource(unit, input, windows: scratch, line: line(scratch), into: sources, compute.kernels)
    let runs = UnsafeRawPointer(shared + chunks * tiling.weightFloats).assumingMemoryBound(to: nr_run.self)
    var job = nr_weight_gradient_job()
    (job.source, job.runs, job.run_count) = (UnsafePointer(sources), runs, Int64(tiling.sourceBlocks))
    (job.rows, job.columns) = (1, Int64(unit.images.count * tiling.imageTiles(unit)))
    (job.source_column, job.gradient_column) = (16, 16)
    job.gradient_vector = Int64(tiling.unitTiles * 16)
    (job.members, job.source_member, job.gradient_member) = (36, Int64(tiling.sourcePoint), Int64(tiling.resultPoint))
    let ahead = MemoryAhead(regions: (tiling.sourceAhead(index + 1, input).0, ahead.0, ahead.1))
    taps.forEachBlock { block in
      job.ahead = ahead.part(taps.index(of: block), of: taps.blockCount)
      job.gradient = UnsafePointer(gradients + block.firstLane * tiling.unitTiles)
      job.result = shared + chunk * tiling.weightFloats + tiling.weightOffset(block)
      job.result_member = Int64(tiling.weightPoint(block))
      job.vectors = Int64(block.vectors)
      compute.kernels.weight_gradient(&job)
    }
  }

  /// Adds the chunks and transforms the sums.
  func finish(
    _ weightGradient: UnsafeMutablePointer<Float>, shared: UnsafeMutablePointer<Float>,
    packed: UnsafeMutablePointer<Float>
  ) {
    for chunk in 1..<max(1, chunks) {
      compute.kernels.accumulate(shared + chunk * tiling.weightFloats, 1, shared, Int64(tiling.weightFloats))
    }
    taps.forEachBlock { block in
      compute.kernels.winograd_weight_gradient(
        shared + tiling.weightOffset(block), Int64(tiling.weightCount(block)), Int64(tiling.weightPoint(block)),
        packed + block.packedOffset)
      var job = taps.packJob(block, dense: weightGradient, packed: packed)
      compute.kernels.unpack(&job)
    }
  }

  // A worker's scratch: windows, line, transformed source, transformed gradient.
  private func line(_ scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    scratch + tiling.sourceBlocks * tiling.windowFloats
  }

  private func gradients(_ scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
    line(scratch) + tiling.lineFloats + tiling.sourceTransformFloats
  }

  /// Copies the tiles of an output gradient of one image.
  private func gather(
    _ image: Int, _ unit: WinogradTiling.Unit, _ gradient: Convolution.Source, into tiles: UnsafeMutablePointer<Float>
  ) {
    let shape = taps.result
    var job = nr_border_job(
      source: gradient.of(image: image, shape), scratch: tiles, height: Int64(shape.h), width: Int64(shape.w),
      pixel: Int64(shape.pixelStride), blocks: Int64(tiling.resultBlocks),
      top: Int64(4 * unit.tileRows.lowerBound), left: 0, rows: Int64(4 * unit.tileRows.count),
      columns: Int64(4 * tiling.tileColumns))
    compute.kernels.border(&job)
  }
}

/// Both gradients of a 3×3 convolution with stride 1 whose input and output have the same size: unit by unit, so that
/// the output gradient is read (and made from a normalisation's) once for both. The bits are those of the two alone.
struct WinogradGradients {
  let input: WinogradConvolution, weight: WinogradWeightGradient
  let compute: Compute

  init(_ geometry: ConvolutionGeometry, compute: Compute) {
    input = WinogradConvolution(geometry.winogradGradientTaps(compute), compute: compute)
    weight = WinogradWeightGradient(geometry.forwardTaps(compute), compute: compute)
    self.compute = compute
  }

  var scratchFloats: Int {
    let packed = weight.tiling.taps.totals.packed
    return input.sharedFloats + weight.sharedFloats + max(compute.threads * workerFloats, packed)
  }

  private var workerFloats: Int { input.workerFloats + weight.workerFloats }

  func run(
    source: Convolution.Source, outputGradient: Convolution.Source, weight dense: UnsafePointer<Float>,
    epilogue: Convolution.Epilogue, inputGradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let sums = scratch + input.sharedFloats, workers = sums + weight.sharedFloats
    let operands = input.operands(
      source: outputGradient, weight: .dense(dense), epilogue: epilogue, result: inputGradient, scratch: scratch)
    weight.begin(sums)
    compute.forEachChunk(weight.chunks) { chunk, worker in
      let windows = workers + worker * workerFloats, part = windows + input.workerFloats
      for index in weight.units(of: chunk) {
        let unit = weight.tiling.unit(index)
        input.runUnit(index, operands, scratch: windows) { image in
          transformGradient(image, unit, windows: windows, scratch: part)
        }
        weight.add(index, source, to: chunk, ahead: (nr_ahead(), nr_ahead()), shared: sums, scratch: part)
      }
    }
    weight.finish(weightGradient, shared: sums, packed: workers)
    input.finishReduction(operands)
  }

  /// The tiles lie within the windows that the input gradient reads.
  private func transformGradient(
    _ image: Int, _ unit: WinogradTiling.Unit, windows: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let tiling = input.tiling
    let first = -tiling.taps.y.low * tiling.windowColumns - tiling.taps.x.low
    weight.transformGradient(
      image, unit, tiles: windows + first * 16, columns: tiling.windowColumns, rows: tiling.windowRows,
      scratch: scratch)
  }
}
