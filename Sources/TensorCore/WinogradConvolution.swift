import CKernels

/// How Winograd's algorithm F(4×4, 3×3) cuts a 3×3 convolution with stride 1 into units of work, and what these need.
///
/// A unit is some rows of tiles of one image, or some small images: as many tiles as fill the registers of a matrix
/// product, and whose transforms stay in the second-level cache. All of it depends on the shape alone.
struct WinogradTiling {
  let taps: TapConvolution
  /// Tiles of 4×4 results in a column and a row of an image, and of a unit.
  let tileRows: Int, tileColumns: Int, unitRows: Int
  let unitImages: Int

  /// Floats of both transforms that a unit may have.
  private static let budget = 81_920

  init(_ taps: TapConvolution) {
    self.taps = taps
    tileRows = (taps.result.h + 3) / 4
    tileColumns = (taps.result.w + 3) / 4
    let perTile = 36 * (taps.source.pixelStride + taps.result.pixelStride)
    let wanted = max(16, min(64, Self.budget / perTile / 16 * 16))
    unitRows = max(1, min(tileRows, wanted / tileColumns))
    weightFloats =
      4 * taps.totals.packed + 36 * 16 * ((taps.result.c + taps.vectors * 16 - 1) / (taps.vectors * 16))
    unitImages = unitRows < tileRows ? 1 : max(1, min(taps.result.n, wanted / (tileRows * tileColumns)))
  }

  var rowUnits: Int { (tileRows + unitRows - 1) / unitRows }
  var units: Int { rowUnits * ((taps.result.n + unitImages - 1) / unitImages) }
  /// The most tiles that a unit has.
  var unitTiles: Int { unitImages * unitRows * tileColumns }
  var sourceBlocks: Int { taps.source.pixelStride / 16 }
  var resultBlocks: Int { taps.result.pixelStride / 16 }

  // MARK: Buffers

  /// The zero-bordered source of one image of a unit: rows, columns and floats of a block of channels.
  var windowRows: Int { 4 * unitRows + 2 }
  var windowColumns: Int { 4 * tileColumns + 2 }
  var windowFloats: Int { windowRows * windowColumns * 16 }
  /// From a point to the next, one vector more than it takes so that the points don't fall on the same cache lines.
  var sourcePoint: Int { (unitTiles * sourceBlocks + 1) * 16 }
  var resultPoint: Int { (unitTiles * resultBlocks + 1) * 16 }
  /// Transforms of the source. Tiles of the product read (and ignore) up to 16 past the end.
  var sourceTransformFloats: Int { 36 * sourcePoint + 256 }
  var resultTransformFloats: Int { 36 * resultPoint }
  /// Six rows of the windows, or 96 vectors.
  var lineFloats: Int { max(6 * windowColumns, 96) * 16 }
  /// Weights of a block at one point, and from there to the next point: one vector more, for the same reason.
  func weightCount(_ block: TapConvolution.Block) -> Int { block.channels.count * block.vectors * 16 }
  func weightPoint(_ block: TapConvolution.Block) -> Int { weightCount(block) + 16 }
  /// Where the weights of a block begin.
  func weightOffset(_ block: TapConvolution.Block) -> Int {
    4 * block.packedOffset + 36 * 16 * (block.firstLane / (taps.vectors * 16))
  }
  /// The weights of all blocks at the 36 points.
  let weightFloats: Int

  // MARK: Units

  /// One unit of work.
  struct Unit {
    var images: Range<Int>, tileRows: Range<Int>
  }

  func unit(_ index: Int) -> Unit {
    let image = index / rowUnits * unitImages, row = index % rowUnits * unitRows
    return Unit(
      images: image..<min(taps.result.n, image + unitImages), tileRows: row..<min(tileRows, row + unitRows))
  }

  /// Tiles of one image of a unit.
  func imageTiles(_ unit: Unit) -> Int { unit.tileRows.count * tileColumns }

  /// The rows of an image that a unit has.
  func rows(_ unit: Unit) -> Range<Int> {
    4 * unit.tileRows.lowerBound..<min(taps.result.h, 4 * unit.tileRows.upperBound)
  }

  /// Where the results of a unit lie.
  func results(_ unit: Unit) -> ConvolutionResults.Strip {
    let shape = taps.result, rows = rows(unit)
    return ConvolutionResults.Strip(
      offset: (unit.images.lowerBound * shape.h + rows.lowerBound) * shape.w * shape.pixelStride,
      rowStride: shape.w * shape.pixelStride, columnStride: shape.pixelStride, rows: unit.images.count * rows.count,
      columns: shape.w, isContiguous: true)
  }

  /// Writes the list of runs of the products: the channels of each block.
  func writeRuns(_ runs: UnsafeMutablePointer<nr_run>) {
    for block in 0..<sourceBlocks {
      runs[block] = nr_run(
        offset: Int32(block * unitTiles * 16), count: Int32(min(16, taps.source.c - block * 16)))
    }
  }

  /// Transforms what a unit reads.
  func transformSource(
    _ unit: Unit, _ source: Convolution.Source, windows: UnsafeMutablePointer<Float>,
    line: UnsafeMutablePointer<Float>, into points: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let shape = taps.source
    var job = nr_winograd_job()
    (job.tile_rows, job.tile_columns) = (Int64(unit.tileRows.count), Int64(tileColumns))
    (job.row, job.blocks, job.plane) = (Int64(windowColumns * 16), Int64(sourceBlocks), Int64(windowFloats))
    (job.point, job.block, job.scratch) = (Int64(sourcePoint), Int64(unitTiles * 16), line)
    for image in unit.images {
      var border = nr_border_job(
        source: source.of(image: image, shape), scratch: windows, height: Int64(shape.h), width: Int64(shape.w),
        pixel: Int64(shape.pixelStride), blocks: Int64(sourceBlocks),
        top: Int64(taps.y.low + 4 * unit.tileRows.lowerBound), left: Int64(taps.x.low), rows: Int64(windowRows),
        columns: Int64(windowColumns))
      kernels.border(&border)
      job.pixels = UnsafePointer(windows)
      job.points = points + (image - unit.images.lowerBound) * imageTiles(unit) * 16
      kernels.winograd_source(&job)
    }
  }
}

extension WinogradTiling {
  /// What a unit reads of the images of a source: nothing past the last unit.
  func sourceAhead(_ index: Int, _ source: Convolution.Source) -> (nr_ahead, nr_ahead) {
    guard index < units else { return (nr_ahead(), nr_ahead()) }
    let unit = unit(index), shape = taps.source, row = shape.w * shape.pixelStride
    let top = max(0, taps.y.low + 4 * unit.tileRows.lowerBound)
    let bottom = min(shape.h, taps.y.low + 4 * unit.tileRows.lowerBound + windowRows)
    let rows = unit.images.count == 1 ? max(0, bottom - top) : unit.images.count * shape.h
    let first = (unit.images.lowerBound * shape.h + top) * row
    func ahead(_ image: UnsafePointer<Float>?) -> nr_ahead {
      image.map { nr_ahead(start: $0 + first, floats: Int64(rows * row)) } ?? nr_ahead()
    }
    return (ahead(source.job.image), ahead(source.job.other))
  }
}

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
    preparedFloats + biasFloats + ConvolutionResults.momentFloats(units: tiling.units, shape: taps.result)
      + max(ConvolutionResults.statisticsScratchFloats(taps.result), compute.threads * workerFloats)
  }

  private var workerFloats: Int {
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
    let prepared: UnsafePointer<Float>
    switch weight {
    case .prepared(let given): prepared = given
    case .dense(let dense):
      prepare(dense, into: scratch)
      prepared = UnsafePointer(scratch)
    }
    let bias = scratch + preparedFloats, moments = bias + biasFloats
    let workers = moments + ConvolutionResults.momentFloats(units: tiling.units, shape: taps.result)
    bias.update(repeating: 0, count: biasFloats)
    if let given = epilogue.bias { bias.update(from: given, count: taps.result.c) }
    let results = ConvolutionResults(
      shape: taps.result, result: result, epilogue: epilogue, moments: moments, kernels: compute.kernels)
    compute.forEachChunk(tiling.units) { unit, worker in
      runUnit(
        unit, source: source, prepared: prepared, bias: bias, results: results,
        scratch: workers + worker * workerFloats)
    }
    results.writeStatistics(units: tiling.units, scratch: workers, compute: compute) {
      tiling.results(tiling.unit($0))
    }
  }

  private func runUnit(
    _ index: Int, source: Convolution.Source, prepared: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    results: ConvolutionResults, scratch: UnsafeMutablePointer<Float>
  ) {
    let unit = tiling.unit(index), place = tiling.results(unit)
    let line = scratch + tiling.sourceBlocks * tiling.windowFloats, sources = line + tiling.lineFloats
    let products = sources + tiling.sourceTransformFloats
    let target = results.target(place, scratch: products + tiling.resultTransformFloats)
    tiling.transformSource(unit, source, windows: scratch, line: line, into: sources, compute.kernels)
    var job = productJob(unit, sources, prepared, bias)
    (job.ahead.0, job.ahead.1) = tiling.sourceAhead(index + 1, source)
    job.ahead.2 = nr_ahead(start: results.result + place.offset, floats: Int64(place.rows * place.rowStride))
    taps.forEachBlock { block in
      multiply(block, job, prepared, into: products)
      job.ahead = (nr_ahead(), nr_ahead(), nr_ahead())
      transformResult(block, unit, products, bias: bias, line: line, to: target)
    }
    results.finish(place, at: target, unit: index)
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

/// The weight gradient of a 3×3 convolution with stride 1 by the transpose of Winograd's algorithm: each chunk of units
/// sums its products at the 36 points; the sums are added in chunk order and transformed once.
struct WinogradWeightGradient {
  let tiling: WinogradTiling
  let compute: Compute

  init(_ taps: TapConvolution, compute: Compute) {
    tiling = WinogradTiling(taps)
    self.compute = compute
  }

  private var taps: TapConvolution { tiling.taps }

  /// At least 64 tiles in a chunk: fewer would not be worth another copy of the weights.
  private var chunks: Int { max(1, min(maximalChunks, tiling.units, tiling.units * tiling.unitTiles / 64)) }
  private var gradientTileFloats: Int { 16 * tiling.unitRows * tiling.tileColumns * taps.result.pixelStride }

  var scratchFloats: Int {
    chunks * tiling.weightFloats + paddedChannels(2 * tiling.sourceBlocks)
      + max(compute.threads * workerFloats, taps.totals.packed)
  }

  private var workerFloats: Int {
    max(tiling.sourceBlocks * tiling.windowFloats, gradientTileFloats) + tiling.lineFloats
      + tiling.sourceTransformFloats + tiling.resultTransformFloats
  }

  func run(
    input: Convolution.Source, outputGradient: Convolution.Source, weightGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let kernels = compute.kernels, runStorage = scratch + chunks * tiling.weightFloats
    let workers = runStorage + paddedChannels(2 * tiling.sourceBlocks)
    UnsafeMutableRawPointer(runStorage).withMemoryRebound(to: nr_run.self, capacity: tiling.sourceBlocks) { runs in
      tiling.writeRuns(runs)
      compute.forEachChunk(chunks) { chunk, worker in
        let sums = scratch + chunk * tiling.weightFloats
        kernels.fill(0, sums, Int64(tiling.weightFloats))
        for unit in tiling.units * chunk / chunks..<tiling.units * (chunk + 1) / chunks {
          add(tiling.unit(unit), input, outputGradient, runs, to: sums, scratch: workers + worker * workerFloats)
        }
      }
    }
    for chunk in 1..<max(1, chunks) {
      kernels.accumulate(scratch + chunk * tiling.weightFloats, 1, scratch, Int64(tiling.weightFloats))
    }
    let packed = workers
    taps.forEachBlock { block in
      kernels.winograd_weight_gradient(
        scratch + tiling.weightOffset(block), Int64(tiling.weightCount(block)), Int64(tiling.weightPoint(block)),
        packed + block.packedOffset)
      var job = taps.packJob(block, dense: weightGradient, packed: packed)
      kernels.unpack(&job)
    }
  }

  /// Adds the products of a unit.
  private func add(
    _ unit: WinogradTiling.Unit, _ input: Convolution.Source, _ outputGradient: Convolution.Source,
    _ runs: UnsafePointer<nr_run>, to sums: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    let line = scratch + max(tiling.sourceBlocks * tiling.windowFloats, gradientTileFloats)
    let sources = line + tiling.lineFloats, gradients = sources + tiling.sourceTransformFloats
    tiling.transformSource(unit, input, windows: scratch, line: line, into: sources, compute.kernels)
    transformGradient(unit, outputGradient, tiles: scratch, line: line, into: gradients)
    var job = nr_weight_gradient_job()
    (job.source, job.runs, job.run_count) = (UnsafePointer(sources), runs, Int64(tiling.sourceBlocks))
    (job.rows, job.columns) = (1, Int64(unit.images.count * tiling.imageTiles(unit)))
    (job.source_column, job.gradient_column) = (16, 16)
    job.gradient_vector = Int64(tiling.unitTiles * 16)
    (job.members, job.source_member, job.gradient_member) = (36, Int64(tiling.sourcePoint), Int64(tiling.resultPoint))
    taps.forEachBlock { block in
      job.gradient = UnsafePointer(gradients + block.firstLane * tiling.unitTiles)
      job.result = sums + tiling.weightOffset(block)
      job.result_member = Int64(tiling.weightPoint(block))
      job.vectors = Int64(block.vectors)
      compute.kernels.weight_gradient(&job)
    }
  }

  /// Transforms the output gradient of a unit.
  private func transformGradient(
    _ unit: WinogradTiling.Unit, _ gradient: Convolution.Source, tiles: UnsafeMutablePointer<Float>,
    line: UnsafeMutablePointer<Float>, into points: UnsafeMutablePointer<Float>
  ) {
    let shape = taps.result, rows = 4 * unit.tileRows.count, columns = 4 * tiling.tileColumns
    var job = nr_winograd_job()
    (job.tile_rows, job.tile_columns) = (Int64(unit.tileRows.count), Int64(tiling.tileColumns))
    (job.row, job.blocks, job.plane) = (Int64(columns * 16), Int64(tiling.resultBlocks), Int64(rows * columns * 16))
    (job.point, job.block, job.scratch) = (Int64(tiling.resultPoint), Int64(tiling.unitTiles * 16), line)
    for image in unit.images {
      var border = nr_border_job(
        source: gradient.of(image: image, shape), scratch: tiles, height: Int64(shape.h), width: Int64(shape.w),
        pixel: Int64(shape.pixelStride), blocks: Int64(tiling.resultBlocks),
        top: Int64(4 * unit.tileRows.lowerBound), left: 0, rows: Int64(rows), columns: Int64(columns))
      compute.kernels.border(&border)
      job.pixels = UnsafePointer(tiles)
      job.points = points + (image - unit.images.lowerBound) * tiling.imageTiles(unit) * 16
      compute.kernels.winograd_gradient(&job)
    }
  }
}

extension ConvolutionGeometry {
  /// Whether Winograd's algorithm serves this convolution and its gradients: for enough channels that the transforms
  /// pay, and images that fill the tiles.
  var isWinograd: Bool {
    kernel == Extent(3) && stride == Extent(1) && dilation == Extent(1) && groups == 1 && inputChannels >= 12
      && outputChannels >= 12 && outputHeight >= 3 && outputWidth >= 3 && inputHeight >= 3 && inputWidth >= 3
      && max(inputWidth, outputWidth) <= 256
  }

  /// The taps of the input gradient as Winograd's algorithm wants them: from the lowest to the highest.
  func winogradGradientTaps(_ compute: Compute) -> TapConvolution {
    func axis(padding: Int, input: Int) -> TapAxis {
      TapAxis(
        first: padding - 2, step: 1, count: 3, kernelFirst: 2, kernelStep: -1, sourceStep: 1, resultFirst: 0,
        resultStep: 1, resultCount: input)
    }
    return TapConvolution(
      self, source: output, result: input, y: axis(padding: padding.height, input: inputHeight),
      x: axis(padding: padding.width, input: inputWidth), transposed: true, compute: compute)
  }
}
