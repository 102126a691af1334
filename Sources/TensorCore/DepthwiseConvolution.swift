import CKernels

/// Convolution where each channel has its own window: 16 channels at a time, lane by lane. A unit of work is a strip of
/// rows of one image with all channels, so that memory is read as a stream.
enum DepthwiseConvolution {
  /// One axis pair and its scratch.
  private struct Plan {
    let source: ImageShape, result: ImageShape
    let y: TapAxis, x: TapAxis
    let stripRows: Int

    init(source: ImageShape, result: ImageShape, y: TapAxis, x: TapAxis) {
      // The kernel is quick for neighbouring taps from left to right.
      (self.source, self.result, self.y, self.x) = (source, result, y, x.ascending)
      // A strip that stays in the second-level cache.
      let columns = x.extent(results: max(1, x.resultCount)), budget = 65_536 / source.pixelStride
      var rows = max(1, y.resultCount)
      while rows > 1 && y.extent(results: rows) * columns > budget { rows = (rows + 1) / 2 }
      stripRows = rows
    }

    var blocks: Int { source.pixelStride / 16 }
    var taps: Int { y.count * x.count }
    var strips: Int { (y.resultCount + stripRows - 1) / stripRows }
    var scratchRows: Int { y.extent(results: stripRows) }
    var scratchColumns: Int { x.extent(results: max(1, x.resultCount)) }
    /// Scratch of one block of channels.
    var planeFloats: Int { scratchRows * scratchColumns * 16 }
    /// Scratch of one worker for the source; tiles read (and ignore) up to 16 pixels past the end.
    var sourceFloats: Int { planeFloats * blocks + 16 * 16 * x.sourceStep }
    /// Scratch of one worker for results.
    var resultFloats: Int { stripRows * x.resultCount * result.pixelStride }
    var workerFloats: Int { sourceFloats + resultFloats }
    var packedFloats: Int { blocks * taps * 16 }
    var tapFloats: Int { paddedChannels(taps) }
    /// Units of work in a batch.
    var units: Int { source.n * strips }

    /// Writes where each tap lies from the pixel.
    func writeTaps(_ taps: UnsafeMutablePointer<Int32>) {
      for tap in 0..<self.taps {
        let row = y.first - y.low + tap / x.count * y.step, column = x.first - x.low + tap % x.count * x.step
        taps[tap] = Int32((row * scratchColumns + column) * 16)
      }
    }

    /// Copies what a strip reads into scratch.
    func gather(
      image: Int, row: Int, from source: Convolution.Source, into scratch: UnsafeMutablePointer<Float>,
      _ kernels: nr_kernels
    ) {
      let shape = self.source
      var job = nr_border_job(
        source: source.of(image: image, shape), scratch: scratch, height: Int64(shape.h),
        width: Int64(shape.w), pixel: Int64(shape.pixelStride), blocks: Int64(blocks),
        top: Int64(y.low + row * y.sourceStep), left: Int64(x.low), rows: Int64(scratchRows),
        columns: Int64(scratchColumns))
      kernels.border(&job)
    }

    /// The output gradient of a unit, for the weight gradient: in place, or made in scratch.
    func gradient(
      _ unit: Int, _ gradient: Convolution.Source, made scratch: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
    ) -> Gradient {
      let place = results(unit)
      if gradient.isPlain {
        return Gradient(
          pointer: gradient.job.image + place.offset, block: 16, row: place.rowStride, column: place.columnStride)
      }
      var job = nr_border_job(
        source: gradient.of(image: unit / strips, result), scratch: scratch, height: Int64(result.h),
        width: Int64(result.w), pixel: Int64(result.pixelStride), blocks: Int64(blocks),
        top: Int64(unit % strips * stripRows), left: 0, rows: Int64(place.rows), columns: Int64(place.columns))
      kernels.border(&job)
      return Gradient(
        pointer: UnsafePointer(scratch), block: place.rows * place.columns * 16, row: place.columns * 16, column: 16)
    }

    /// Where the results of a unit lie.
    func results(_ unit: Int) -> ConvolutionResults.Strip {
      let image = unit / strips, row = unit % strips * stripRows
      let pixelRow = y.resultFirst + row * y.resultStep
      return ConvolutionResults.Strip(
        offset: ((image * result.h + pixelRow) * result.w + x.resultFirst) * result.pixelStride,
        rowStride: result.w * result.pixelStride * y.resultStep, columnStride: result.pixelStride * x.resultStep,
        rows: min(stripRows, y.resultCount - row), columns: x.resultCount,
        isContiguous: y.resultStep == 1 && x.resultStep == 1)
    }

    func lanes(of block: Int) -> Int { min(16, source.c - block * 16) }

    /// What a unit reads of the source, and what of an image as large as the results: nothing past the last unit.
    func sourceAhead(_ unit: Int, _ source: Convolution.Source) -> (nr_ahead, nr_ahead) {
      let top = y.low + unit % strips * stripRows * y.sourceStep, image = unit / strips
      return source.ahead(self.source, images: image..<image + 1, rows: top..<top + scratchRows)
    }

    func gradientAhead(_ unit: Int, _ gradient: Convolution.Source) -> (nr_ahead, nr_ahead) {
      let row = unit % strips * stripRows, image = unit / strips
      return gradient.ahead(result, images: image..<image + 1, rows: row..<row + stripRows)
    }

    /// A job over a strip, without its operands: what it reads lies in the image, or in scratch where it was copied.
    func job(_ unit: Int, _ target: ConvolutionResults.Target, inPlace: Bool) -> nr_depthwise_job {
      let strip = results(unit), pixel = inPlace ? source.pixelStride : 16
      let columns = inPlace ? source.w : scratchColumns
      var job = nr_depthwise_job()
      (job.height, job.width) = (Int64(inPlace ? source.h : scratchRows), Int64(columns))
      (job.source_row, job.source_column) = (Int64(columns * pixel), Int64(pixel))
      job.top = Int64(inPlace ? y.first + unit % strips * stripRows * y.sourceStep : y.first - y.low)
      job.left = Int64(inPlace ? x.first : x.first - x.low)
      (job.row_step, job.column_step) = (Int64(y.sourceStep), Int64(x.sourceStep))
      (job.tap_rows, job.tap_columns) = (Int64(y.count), Int64(x.count))
      (job.tap_row_step, job.tap_column_step) = (Int64(y.step), Int64(x.step))
      (job.rows, job.columns) = (Int64(strip.rows), Int64(strip.columns))
      (job.result_row, job.result_column) = (Int64(target.rowStride), Int64(target.columnStride))
      return job
    }
  }

  /// The output gradient of a unit: floats from a block of channels, a row and a pixel to the next.
  private struct Gradient {
    var pointer: UnsafePointer<Float>
    var block: Int, row: Int, column: Int
  }

  private static func forwardPlan(_ g: ConvolutionGeometry) -> Plan {
    let axes = g.forwardAxes
    return Plan(source: g.input, result: g.output, y: axes.y, x: axes.x)
  }

  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    func floats(_ plan: Plan) -> Int {
      plan.packedFloats + plan.result.pixelStride
        + ConvolutionResults.momentFloats(units: plan.units, shape: plan.result)
        + max(ConvolutionResults.statisticsScratchFloats(plan.result), compute.threads * plan.workerFloats)
    }
    let plan = forwardPlan(g)
    let sums = min(maximalChunks, g.batch) * plan.packedFloats + plan.tapFloats + compute.threads * plan.workerFloats
    var most = max(floats(plan), sums)
    if let shared = sharedGradientPlan(g) {
      let workers = compute.threads * (shared.workerFloats + plan.sourceFloats)
      most = max(most, floats(shared) + min(maximalChunks, g.batch) * plan.packedFloats + plan.tapFloats + workers)
    }
    g.forEachGradientPhase { y, x in
      most = max(most, floats(Plan(source: g.output, result: g.input, y: y, x: x)))
    }
    return most
  }

  static func preparedFloats(_ g: ConvolutionGeometry) -> Int { forwardPlan(g).packedFloats }

  static func prepare(
    _ g: ConvolutionGeometry, weight: UnsafePointer<Float>, prepared: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    prepare(g, forwardPlan(g), weight, into: prepared, compute.kernels)
  }

  static func forward(
    _ g: ConvolutionGeometry, input: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue,
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    run(
      g, forwardPlan(g), source: input, weight: weight, epilogue: epilogue, result: output, scratch: scratch, compute)
  }

  static func inputGradient(
    _ g: ConvolutionGeometry, outputGradient: Convolution.Source, weight: UnsafePointer<Float>,
    epilogue: Convolution.Epilogue, inputGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    g.forEachGradientPhase { y, x in
      run(
        g, Plan(source: g.output, result: g.input, y: y, x: x), source: outputGradient, weight: .dense(weight),
        epilogue: epilogue, result: inputGradient, scratch: scratch, compute)
    }
  }

  private static func run(
    _ g: ConvolutionGeometry, _ plan: Plan, source: Convolution.Source, weight: Convolution.Weight,
    epilogue: Convolution.Epilogue, result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ compute: Compute
  ) {
    let operands = operands(
      g, plan, source: source, weight: weight, epilogue: epilogue, result: result, scratch: scratch, compute.kernels)
    let workers = operands.moments + ConvolutionResults.momentFloats(units: plan.units, shape: plan.result)
    compute.forEachChunk(plan.units) { unit, worker in
      runUnit(
        unit, plan, operands, copies: !source.isPlain, scratch: workers + worker * plan.workerFloats)
    }
    operands.results.writeStatistics(units: plan.units, scratch: workers, compute: compute) { plan.results($0) }
  }

  /// What all units work on.
  private struct Operands {
    let source: Convolution.Source, prepared: UnsafePointer<Float>, bias: UnsafePointer<Float>
    let results: ConvolutionResults
    var moments: UnsafeMutablePointer<Float> { results.moments }
    var kernels: nr_kernels { results.kernels }
  }

  /// Puts what the workers share into scratch: weights, taps, bias, room for moments.
  private static func operands(
    _ g: ConvolutionGeometry, _ plan: Plan, source: Convolution.Source, weight: Convolution.Weight,
    epilogue: Convolution.Epilogue, result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ kernels: nr_kernels
  ) -> Operands {
    let prepared: UnsafePointer<Float>
    switch weight {
    case .prepared(let given): prepared = given
    case .dense(let dense):
      prepare(g, plan, dense, into: scratch, kernels)
      prepared = UnsafePointer(scratch)
    }
    let bias = scratch + plan.packedFloats
    bias.update(repeating: 0, count: plan.result.pixelStride)
    if let given = epilogue.bias { bias.update(from: given, count: plan.result.c) }
    let results = ConvolutionResults(
      shape: plan.result, result: result, epilogue: epilogue, moments: bias + plan.result.pixelStride,
      kernels: kernels)
    return Operands(source: source, prepared: prepared, bias: bias, results: results)
  }

  /// - Parameter copies: whether what the unit reads is to be in scratch afterwards; an image as it is needs no copy.
  private static func runUnit(
    _ unit: Int, _ plan: Plan, _ operands: Operands, copies: Bool, scratch part: UnsafeMutablePointer<Float>
  ) {
    let strip = plan.results(unit), kernels = operands.kernels, results = operands.results
    let target = results.target(strip, scratch: part + plan.sourceFloats)
    let image = operands.source.of(image: unit / plan.strips, plan.source).image
    if copies {
      plan.gather(
        image: unit / plan.strips, row: unit % plan.strips * plan.stripRows, from: operands.source, into: part, kernels)
    }
    var job = plan.job(unit, target, inPlace: !copies)
    (job.low, job.high) = results.kernelBounds
    let next = plan.sourceAhead(unit + 1, operands.source)
    let ahead = MemoryAhead(regions: (next.0, next.1, results.ahead(strip)))
    for block in 0..<plan.blocks {
      job.ahead = ahead.part(block, of: plan.blocks)
      job.lanes = Int64(plan.lanes(of: block))
      job.result = target.pointer + block * 16
      job.source = copies ? UnsafePointer(part + block * plan.planeFloats) : image.map { $0 + block * 16 }
      job.weights = operands.prepared + block * plan.taps * 16
      job.bias = operands.bias + block * 16
      kernels.depthwise(&job)
    }
    results.finish(strip, at: target, unit: unit, isClamped: true)
  }

  /// Dense `[ky][kx][channel]` to `[block][tap][16]`, taps in the order of the plan.
  private static func prepare(
    _ g: ConvolutionGeometry, _ plan: Plan, _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    _ kernels: nr_kernels
  ) {
    for block in 0..<plan.blocks {
      let lanes = plan.lanes(of: block)
      for tap in 0..<plan.taps {
        let ky = plan.y.kernelFirst + tap / plan.x.count * plan.y.kernelStep
        let kx = plan.x.kernelFirst + tap % plan.x.count * plan.x.kernelStep
        let dense = weight + ((ky * g.kernel.width + kx) * g.outputChannels + block * 16)
        kernels.copy_channels(
          dense, 16, packed + (block * plan.taps + tap) * 16, 16, 1, Int64(lanes), Int64(16 - lanes))
      }
    }
  }

  static func weightGradient(
    _ g: ConvolutionGeometry, input: Convolution.Source, outputGradient: Convolution.Source,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let plan = forwardPlan(g), kernels = compute.kernels
    sumChunks(g, plan, into: weightGradient, scratch: scratch, workerFloats: plan.workerFloats, compute) {
      unit, sums, taps, part in
      let gradient = plan.gradient(unit, outputGradient, made: part + plan.sourceFloats, kernels)
      let ahead = plan.gradientAhead(unit + 1, outputGradient)
      add(unit, plan, taps, input, gradient, ahead, to: sums, scratch: part, kernels)
    }
  }

  /// The plan of the input gradient, if its windows hold the output gradient that the weight gradient reads.
  private static func sharedGradientPlan(_ g: ConvolutionGeometry) -> Plan? {
    guard g.stride == Extent(1), g.inputHeight == g.outputHeight, g.inputWidth == g.outputWidth else { return nil }
    var shared: Plan?
    g.forEachGradientPhase { y, x in shared = Plan(source: g.output, result: g.input, y: y, x: x) }
    return shared
  }

  /// Both gradients, strip by strip, so that each source is read and made once. False if the strips of the two don't
  /// agree.
  static func gradients(
    _ g: ConvolutionGeometry, input: Convolution.Source, outputGradient: Convolution.Source,
    weight: UnsafePointer<Float>, epilogue: Convolution.Epilogue, inputGradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) -> Bool {
    guard let back = sharedGradientPlan(g) else { return false }
    let plan = forwardPlan(g), kernels = compute.kernels
    let operands = operands(
      g, back, source: outputGradient, weight: .dense(weight), epilogue: epilogue, result: inputGradient,
      scratch: scratch, kernels)
    let first = (-back.y.low * back.scratchColumns - back.x.low) * 16
    sumChunks(
      g, plan, into: weightGradient, scratch: operands.moments, workerFloats: back.workerFloats + plan.sourceFloats,
      compute
    ) { unit, sums, taps, part in
      runUnit(unit, back, operands, copies: true, scratch: part)
      let gradient = Gradient(
        pointer: UnsafePointer(part + first), block: back.planeFloats, row: back.scratchColumns * 16, column: 16)
      add(
        unit, plan, taps, input, gradient, (nr_ahead(), nr_ahead()), to: sums, scratch: part + back.workerFloats,
        kernels)
    }
    return true
  }

  /// Sums of chunks of images `[block][tap][16]`, added in chunk order: the body adds a unit's products.
  private static func sumChunks(
    _ g: ConvolutionGeometry, _ plan: Plan, into weightGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workerFloats: Int, _ compute: Compute,
    _ add: (Int, UnsafeMutablePointer<Float>, UnsafePointer<Int32>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let chunks = min(maximalChunks, g.batch), kernels = compute.kernels
    let tapStorage = scratch + chunks * plan.packedFloats, workers = tapStorage + plan.tapFloats
    UnsafeMutableRawPointer(tapStorage).withMemoryRebound(to: Int32.self, capacity: plan.tapFloats) { taps in
      plan.writeTaps(taps)
      compute.forEachChunk(chunks) { chunk, worker in
        let sums = scratch + chunk * plan.packedFloats
        kernels.fill(0, sums, Int64(plan.packedFloats))
        let images = g.batch * chunk / chunks..<g.batch * (chunk + 1) / chunks
        for unit in images.lowerBound * plan.strips..<images.upperBound * plan.strips {
          add(unit, sums, UnsafePointer(taps), workers + worker * workerFloats)
        }
      }
    }
    for chunk in 1..<max(1, chunks) {
      kernels.accumulate(scratch + chunk * plan.packedFloats, 1, scratch, Int64(plan.packedFloats))
    }
    for block in 0..<plan.blocks {
      kernels.copy_channels(
        scratch + block * plan.taps * 16, 16, weightGradient + block * 16, Int64(g.outputChannels), Int64(plan.taps),
        Int64(plan.lanes(of: block)), 0)
    }
  }

  /// Adds the products of one unit to the sums `[block][tap][16]`.
  ///
  /// - Parameter ahead: What else the next unit reads.
  private static func add(
    _ unit: Int, _ plan: Plan, _ taps: UnsafePointer<Int32>, _ input: Convolution.Source, _ gradient: Gradient,
    _ ahead: (nr_ahead, nr_ahead), to sums: UnsafeMutablePointer<Float>, scratch part: UnsafeMutablePointer<Float>,
    _ kernels: nr_kernels
  ) {
    var job = nr_depthwise_gradient_job()
    job.taps = taps
    job.tap_count = Int64(plan.taps)
    (job.rows, job.columns) = (Int64(plan.results(unit).rows), Int64(plan.x.resultCount))
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    (job.gradient_row, job.gradient_column) = (Int64(gradient.row), Int64(gradient.column))
    job.neighbours = plan.x.step == 1 ? Int64(plan.x.count) : 1
    plan.gather(
      image: unit / plan.strips, row: unit % plan.strips * plan.stripRows, from: input, into: part, kernels)
    let regions = MemoryAhead(regions: (plan.sourceAhead(unit + 1, input).0, ahead.0, ahead.1))
    for block in 0..<plan.blocks {
      job.ahead = regions.part(block, of: plan.blocks)
      job.source = UnsafePointer(part + block * plan.planeFloats)
      job.gradient = gradient.pointer + block * gradient.block
      job.result = sums + block * plan.taps * 16
      kernels.depthwise_gradient(&job)
    }
  }
}
