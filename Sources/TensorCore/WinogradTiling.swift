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
    weightFloats = 4 * taps.totals.packed + 36 * 16 * taps.blockCount
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
    4 * block.packedOffset + 36 * 16 * taps.index(of: block)
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
  ///
  /// - Parameter eachImage: What else is to be done with the windows of an image while they are there.
  func transformSource(
    _ unit: Unit, _ source: Convolution.Source, windows: UnsafeMutablePointer<Float>,
    line: UnsafeMutablePointer<Float>, into points: UnsafeMutablePointer<Float>, _ kernels: nr_kernels,
    eachImage: (Int) -> Void = { _ in }
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
      eachImage(image)
    }
  }
}

extension WinogradTiling {
  /// What a unit reads of a source, and what of an image as large as the results: nothing past the last unit.
  func sourceAhead(_ index: Int, _ source: Convolution.Source) -> (nr_ahead, nr_ahead) {
    guard index < units else { return (nr_ahead(), nr_ahead()) }
    let unit = unit(index), top = taps.y.low + 4 * unit.tileRows.lowerBound
    return source.ahead(
      taps.source, images: unit.images, rows: unit.images.count > 1 ? 0..<taps.source.h : top..<top + windowRows)
  }

  func gradientAhead(_ index: Int, _ gradient: Convolution.Source) -> (nr_ahead, nr_ahead) {
    guard index < units else { return (nr_ahead(), nr_ahead()) }
    return gradient.ahead(taps.result, images: unit(index).images, rows: rows(unit(index)))
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
