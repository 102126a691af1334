import CKernels

/// A convolution, or one phase of an input gradient, as the kernels run it: axes, channel blocks, strips and scratch.
///
/// The work is cut into units: a strip of rows and columns of one image. A unit copies its part of the source into
/// zero-bordered scratch and goes through the blocks of result channels. Where the cuts lie depends on the shape
/// alone and changes no result.
struct TapConvolution {
  /// Result channels that one kernel call makes: one or two vectors, with the source channels that they depend on.
  struct Block {
    var firstLane: Int, lanes: Int, vectors: Int
    var channels: Range<Int>
    /// Floats into the packed weights, and runs into the list of runs.
    var packedOffset: Int, runOffset: Int, runCount: Int
  }

  private(set) var source: ImageShape, result: ImageShape
  private(set) var y: TapAxis, x: TapAxis
  let geometry: ConvolutionGeometry
  /// Sums over output channels, for the input gradient.
  let transposed: Bool
  /// Vectors of result channels in a block.
  let vectors: Int
  private(set) var stripRows = 1, stripColumns = 1

  init(
    _ geometry: ConvolutionGeometry, source: ImageShape, result: ImageShape, y: TapAxis, x: TapAxis,
    transposed: Bool, compute: Compute
  ) {
    (self.geometry, self.transposed, self.source, self.result, self.y, self.x) =
      (geometry, transposed, source, result, y, x)
    let lanesPerGroup = transposed ? geometry.inputsPerGroup : geometry.outputsPerGroup
    let pairs = result.c > 16 && (geometry.groups == 1 || lanesPerGroup % 32 == 0)
    vectors = pairs ? Int(compute.kernels.vectors) : 1
    if y.isIdentity, x.isIdentity { flatten() }
    chooseStrips()
  }

  /// A pointwise convolution sees no neighbours: all pixels of the batch become one row.
  private mutating func flatten() {
    source = ImageShape(n: 1, h: 1, w: source.rows, c: source.c)
    result = ImageShape(n: 1, h: 1, w: result.rows, c: result.c)
    y.resultCount = 1
    x.resultCount = result.w
  }

  /// Strips whose scratch stays in the second-level cache; for a pointwise convolution, in the first.
  private mutating func chooseStrips() {
    let isPointwise = y.isIdentity && x.isIdentity
    let budget = isPointwise ? 8_192 : 65_536
    stripColumns = max(1, min(x.resultCount, isPointwise ? max(64, budget / source.pixelStride) : 512))
    stripRows = max(1, y.resultCount)
    while stripRows > 1 && planeFloats * sourceBlocks > budget { stripRows = (stripRows + 1) / 2 }
  }

  // MARK: Sizes

  var sourceBlocks: Int { source.pixelStride / 16 }
  var scratchRows: Int { y.extent(results: stripRows) }
  var scratchColumns: Int { x.extent(results: stripColumns) }
  /// Scratch of one block of source channels.
  var planeFloats: Int { scratchRows * scratchColumns * 16 }
  /// Scratch of one worker for the source. Tiles at the end of a row read (and ignore) up to 16 pixels past it.
  var sourceFloats: Int { planeFloats * sourceBlocks + 16 * 16 * x.sourceStep + 16 }
  /// Scratch of one worker for results.
  var resultFloats: Int { stripRows * stripColumns * result.pixelStride }
  var tapCount: Int { y.count * x.count }

  var rowStrips: Int { (y.resultCount + stripRows - 1) / stripRows }
  var columnStrips: Int { (x.resultCount + stripColumns - 1) / stripColumns }
  var units: Int { source.n * rowStrips * columnStrips }

  /// The sizes of packed weights and list of runs over all blocks.
  var totals: (packed: Int, runs: Int) {
    var last = (packed: 0, runs: 0)
    forEachBlock { block in
      last.packed = block.packedOffset + tapCount * block.channels.count * block.vectors * 16
      last.runs = block.runOffset + block.runCount
    }
    return last
  }

  // MARK: Blocks

  var blockCount: Int { (result.c + vectors * 16 - 1) / (vectors * 16) }
  func index(of block: Block) -> Int { block.firstLane / (vectors * 16) }

  /// Calls the body for each block of result channels.
  func forEachBlock(_ body: (Block) -> Void) {
    var block = Block(
      firstLane: 0, lanes: 0, vectors: 0, channels: 0..<0, packedOffset: 0, runOffset: 0, runCount: 0)
    while block.firstLane < result.c {
      block.lanes = min(vectors * 16, result.c - block.firstLane)
      block.vectors = (block.lanes + 15) / 16
      block.channels = sourceChannels(of: block.firstLane..<block.firstLane + block.lanes)
      let first = block.channels.lowerBound / 16, last = (block.channels.upperBound - 1) / 16
      block.runCount = tapCount * (last - first + 1)
      body(block)
      block.packedOffset += tapCount * block.channels.count * block.vectors * 16
      block.runOffset += block.runCount
      block.firstLane += block.lanes
    }
  }

  /// The source channels of the groups of some result channels.
  private func sourceChannels(of lanes: Range<Int>) -> Range<Int> {
    let perGroup =
      transposed
      ? (lanes: geometry.inputsPerGroup, channels: geometry.outputsPerGroup)
      : (lanes: geometry.outputsPerGroup, channels: geometry.inputsPerGroup)
    let first = lanes.lowerBound / perGroup.lanes, last = (lanes.upperBound - 1) / perGroup.lanes
    return first * perGroup.channels..<(last + 1) * perGroup.channels
  }

  /// What the packing kernels need for a block.
  func packJob(_ block: Block, dense: UnsafePointer<Float>, packed: UnsafeMutablePointer<Float>) -> nr_pack_job {
    nr_pack_job(
      dense: dense, packed: packed + block.packedOffset, first_y: Int64(y.kernelFirst),
      step_y: Int64(y.kernelStep), count_y: Int64(y.count), first_x: Int64(x.kernelFirst),
      step_x: Int64(x.kernelStep), count_x: Int64(x.count), kernel_width: Int64(geometry.kernel.width),
      first_channel: Int64(block.channels.lowerBound), channels: Int64(block.channels.count),
      first_lane: Int64(block.firstLane), lanes: Int64(block.lanes), width: Int64(block.vectors * 16),
      inputs_per_group: Int64(geometry.inputsPerGroup), outputs_per_group: Int64(geometry.outputsPerGroup),
      outputs: Int64(geometry.outputChannels), transposed: transposed ? 1 : 0)
  }

  /// Writes the list of runs of each block: taps row by row, and within a tap the channels in ascending order.
  func writeRuns(_ runs: UnsafeMutablePointer<nr_run>) {
    forEachBlock { block in
      var next = block.runOffset
      for tap in 0..<tapCount {
        let row = y.first - y.low + tap / x.count * y.step, column = x.first - x.low + tap % x.count * x.step
        var channel = block.channels.lowerBound
        while channel < block.channels.upperBound {
          let vector = channel / 16, end = min(block.channels.upperBound, vector * 16 + 16)
          let offset = vector * planeFloats + (row * scratchColumns + column) * 16 + channel % 16
          runs[next] = nr_run(offset: Int32(offset), count: Int32(end - channel))
          next += 1
          channel = end
        }
      }
    }
  }

  // MARK: Units

  /// Where a unit's results lie.
  struct Strip {
    var image: Int, rows: Range<Int>, columns: Range<Int>
  }

  func strip(_ unit: Int) -> Strip {
    let row = unit / columnStrips % rowStrips * stripRows, column = unit % columnStrips * stripColumns
    return Strip(
      image: unit / (columnStrips * rowStrips), rows: row..<min(y.resultCount, row + stripRows),
      columns: column..<min(x.resultCount, column + stripColumns))
  }

  /// What a unit reads, as the kernels want it: copied into zero-bordered scratch, or in place where the image already
  /// looks like that (a pointwise convolution of up to 16 channels) and tiles may read past the strip's end.
  func gather(
    _ strip: Strip, from source: Convolution.Source, into scratch: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) -> UnsafePointer<Float> {
    let shape = self.source
    if y.isIdentity, x.isIdentity, shape.pixelStride == 16, source.isPlain, strip.columns.upperBound + 16 <= shape.w {
      return source.job.image + strip.columns.lowerBound * 16
    }
    var job = nr_border_job(
      source: source.of(image: strip.image, shape), scratch: scratch, height: Int64(shape.h), width: Int64(shape.w),
      pixel: Int64(shape.pixelStride), blocks: Int64(sourceBlocks),
      top: Int64(y.low + strip.rows.lowerBound * y.sourceStep),
      left: Int64(x.low + strip.columns.lowerBound * x.sourceStep), rows: Int64(scratchRows),
      columns: Int64(scratchColumns))
    kernels.border(&job)
    return UnsafePointer(scratch)
  }

  /// What a unit reads of a source: nothing past the last unit.
  func sourceAhead(_ unit: Int, _ source: Convolution.Source) -> (nr_ahead, nr_ahead) {
    guard unit < units else { return (nr_ahead(), nr_ahead()) }
    let strip = strip(unit), shape = self.source
    if y.isIdentity && x.isIdentity {
      return source.ahead(
        ImageShape(n: 1, h: shape.w, w: 1, c: shape.c), images: 0..<1, rows: strip.columns)
    }
    let top = y.low + strip.rows.lowerBound * y.sourceStep
    return source.ahead(shape, images: strip.image..<strip.image + 1, rows: top..<top + scratchRows)
  }

  /// The results of a unit.
  func results(_ strip: Strip) -> ConvolutionResults.Strip {
    ConvolutionResults.Strip(
      offset: resultOffset(image: strip.image, row: strip.rows.lowerBound, column: strip.columns.lowerBound),
      rowStride: result.w * result.pixelStride * y.resultStep, columnStride: result.pixelStride * x.resultStep,
      rows: strip.rows.count, columns: strip.columns.count,
      isContiguous: y.resultStep == 1 && x.resultStep == 1 && (columnStrips == 1 || y.resultCount == 1))
  }

  /// Floats from the start of the result to a position of a strip.
  func resultOffset(image: Int, row: Int, column: Int) -> Int {
    let pixelRow = y.resultFirst + row * y.resultStep, pixelColumn = x.resultFirst + column * x.resultStep
    return ((image * result.h + pixelRow) * result.w + pixelColumn) * result.pixelStride
  }
}
