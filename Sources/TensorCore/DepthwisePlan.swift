import CKernels

/// A depthwise convolution, or one phase of an input gradient: axes, units of work and scratch.
///
/// A unit is a strip of rows of one image with a group of its vectors of channels. What it reads and writes, and what the
/// next one will read, stay in the second-level cache together: whole images of a few channels rather than a few rows
/// of all channels, since rows overlap and channels don't. Where the cuts lie depends on the shape alone and changes no
/// result.
struct DepthwisePlan {
  /// One unit of work.
  struct Unit {
    /// The strip, counted over the batch.
    var strip: Int
    /// Vectors of channels.
    var blocks: Range<Int>
    /// The channels, with padding lanes.
    var lanes: Range<Int> { blocks.lowerBound * 16..<blocks.upperBound * 16 }
  }

  /// The output gradient of a unit: floats from a block of channels, a row and a pixel to the next.
  struct Gradient {
    var pointer: UnsafePointer<Float>
    var block: Int, row: Int, column: Int
  }

  let source: ImageShape, result: ImageShape
  let y: TapAxis, x: TapAxis
  let stripRows: Int, groupBlocks: Int

  /// Floats of the copy of what a unit reads.
  private static let budget = 24_576

  init(source: ImageShape, result: ImageShape, y: TapAxis, x: TapAxis) {
    // The kernel is quick for neighbouring taps from left to right.
    (self.source, self.result, self.y, self.x) = (source, result, y, x.ascending)
    let columns = x.extent(results: max(1, x.resultCount))
    var rows = max(1, y.resultCount)
    while rows > 1 && y.extent(results: rows) * columns * 16 > Self.budget { rows = (rows + 1) / 2 }
    stripRows = rows
    groupBlocks = max(1, min(source.pixelStride / 16, Self.budget / (y.extent(results: rows) * columns * 16)))
  }

  var blocks: Int { source.pixelStride / 16 }
  var taps: Int { y.count * x.count }
  /// Strips of an image, and of the batch.
  var imageStrips: Int { (y.resultCount + stripRows - 1) / stripRows }
  var strips: Int { source.n * imageStrips }
  /// Units that share a strip.
  var groups: Int { (blocks + groupBlocks - 1) / groupBlocks }
  var units: Int { strips * groups }

  // MARK: Scratch

  var scratchRows: Int { y.extent(results: stripRows) }
  var scratchColumns: Int { x.extent(results: max(1, x.resultCount)) }
  /// Scratch of one block of channels.
  var planeFloats: Int { scratchRows * scratchColumns * 16 }
  /// Scratch of one worker for the source; tiles read (and ignore) up to 16 pixels past the end.
  var sourceFloats: Int { planeFloats * groupBlocks + 16 * 16 * x.sourceStep }
  /// Scratch of one worker for results.
  var resultFloats: Int { stripRows * x.resultCount * groupBlocks * 16 }
  var workerFloats: Int { sourceFloats + resultFloats }
  var packedFloats: Int { blocks * taps * 16 }
  var tapFloats: Int { paddedChannels(taps) }

  /// Writes where each tap lies from the pixel.
  func writeTaps(_ taps: UnsafeMutablePointer<Int32>) {
    for tap in 0..<self.taps {
      let row = y.first - y.low + tap / x.count * y.step, column = x.first - x.low + tap % x.count * x.step
      taps[tap] = Int32((row * scratchColumns + column) * 16)
    }
  }

  // MARK: Units

  func unit(_ index: Int) -> Unit {
    let first = index % groups * groupBlocks
    return Unit(strip: index / groups, blocks: first..<min(blocks, first + groupBlocks))
  }

  /// Logical channels of a block.
  func lanes(of block: Int) -> Int { min(16, source.c - block * 16) }

  /// Where the results of a strip lie, all channels of them.
  func results(_ strip: Int) -> ConvolutionResults.Strip {
    let image = strip / imageStrips, row = strip % imageStrips * stripRows
    let pixelRow = y.resultFirst + row * y.resultStep
    return ConvolutionResults.Strip(
      offset: ((image * result.h + pixelRow) * result.w + x.resultFirst) * result.pixelStride,
      rowStride: result.w * result.pixelStride * y.resultStep, columnStride: result.pixelStride * x.resultStep,
      rows: min(stripRows, y.resultCount - row), columns: x.resultCount,
      isContiguous: y.resultStep == 1 && x.resultStep == 1)
  }

  /// Copies what a unit reads into scratch.
  func gather(
    _ unit: Unit, from source: Convolution.Source, into scratch: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let shape = self.source, row = unit.strip % imageStrips * stripRows
    var job = nr_border_job(
      source: source.of(image: unit.strip / imageStrips, shape, lane: unit.lanes.lowerBound), scratch: scratch,
      height: Int64(shape.h), width: Int64(shape.w), pixel: Int64(shape.pixelStride), blocks: Int64(unit.blocks.count),
      top: Int64(y.low + row * y.sourceStep), left: Int64(x.low), rows: Int64(scratchRows),
      columns: Int64(scratchColumns))
    kernels.border(&job)
  }

  /// The output gradient of a unit, for the weight gradient: in place, or made in scratch.
  func gradient(
    _ unit: Unit, _ gradient: Convolution.Source, made scratch: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) -> Gradient {
    let place = results(unit.strip), lane = unit.lanes.lowerBound
    if gradient.isPlain {
      return Gradient(
        pointer: gradient.job.image + (place.offset + lane), block: 16, row: place.rowStride,
        column: place.columnStride)
    }
    var job = nr_border_job(
      source: gradient.of(image: unit.strip / imageStrips, result, lane: lane), scratch: scratch,
      height: Int64(result.h), width: Int64(result.w), pixel: Int64(result.pixelStride),
      blocks: Int64(unit.blocks.count), top: Int64(unit.strip % imageStrips * stripRows), left: 0,
      rows: Int64(place.rows), columns: Int64(place.columns))
    kernels.border(&job)
    return Gradient(
      pointer: UnsafePointer(scratch), block: place.rows * place.columns * 16, row: place.columns * 16, column: 16)
  }

  /// A job over a unit, without its operands: what it reads lies in the image, or in scratch where it was copied.
  func job(_ unit: Unit, _ target: ConvolutionResults.Target, inPlace: Bool) -> nr_depthwise_job {
    let strip = results(unit.strip), pixel = inPlace ? source.pixelStride : 16
    let columns = inPlace ? source.w : scratchColumns, row = unit.strip % imageStrips * stripRows
    var job = nr_depthwise_job()
    (job.height, job.width) = (Int64(inPlace ? source.h : scratchRows), Int64(columns))
    (job.source_row, job.source_column) = (Int64(columns * pixel), Int64(pixel))
    job.top = Int64(inPlace ? y.first + row * y.sourceStep : y.first - y.low)
    job.left = Int64(inPlace ? x.first : x.first - x.low)
    (job.row_step, job.column_step) = (Int64(y.sourceStep), Int64(x.sourceStep))
    (job.tap_rows, job.tap_columns) = (Int64(y.count), Int64(x.count))
    (job.tap_row_step, job.tap_column_step) = (Int64(y.step), Int64(x.step))
    (job.rows, job.columns) = (Int64(strip.rows), Int64(strip.columns))
    (job.result_row, job.result_column) = (Int64(target.rowStride), Int64(target.columnStride))
    return job
  }

  // MARK: Memory ahead

  /// What a unit reads of the source, and what of an image as large as the results: nothing past the last unit.
  func sourceAhead(_ index: Int, _ source: Convolution.Source) -> (nr_ahead, nr_ahead) {
    let unit = unit(index), image = unit.strip / imageStrips
    let top = y.low + unit.strip % imageStrips * stripRows * y.sourceStep
    return source.ahead(
      self.source, images: image..<image + 1, rows: top..<top + scratchRows, lanes: unit.lanes)
  }

  func gradientAhead(_ index: Int, _ gradient: Convolution.Source) -> (nr_ahead, nr_ahead) {
    let unit = unit(index), image = unit.strip / imageStrips, row = unit.strip % imageStrips * stripRows
    return gradient.ahead(result, images: image..<image + 1, rows: row..<row + stripRows, lanes: unit.lanes)
  }
}
