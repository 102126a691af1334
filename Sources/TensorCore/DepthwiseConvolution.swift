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
      (self.source, self.result, self.y, self.x) = (source, result, y, x)
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

    /// Copies the output gradient of a strip into scratch, for the weight gradient.
    func gatherGradient(
      image: Int, row: Int, from gradient: Convolution.Source, into scratch: UnsafeMutablePointer<Float>,
      _ kernels: nr_kernels
    ) {
      var job = nr_border_job(
        source: gradient.of(image: image, result), scratch: scratch, height: Int64(result.h),
        width: Int64(result.w), pixel: Int64(result.pixelStride), blocks: Int64(blocks), top: Int64(row), left: 0,
        rows: Int64(min(stripRows, y.resultCount - row)), columns: Int64(x.resultCount))
      kernels.border(&job)
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

    /// A job over a strip, without its operands.
    func job(_ strip: ConvolutionResults.Strip, _ target: ConvolutionResults.Target) -> nr_depthwise_job {
      var job = nr_depthwise_job()
      job.tap_count = Int64(taps)
      (job.rows, job.columns) = (Int64(strip.rows), Int64(strip.columns))
      job.source_column = Int64(16 * x.sourceStep)
      job.source_row = Int64(scratchColumns * 16 * y.sourceStep)
      (job.result_row, job.result_column) = (Int64(target.rowStride), Int64(target.columnStride))
      return job
    }
  }

  private static func forwardPlan(_ g: ConvolutionGeometry) -> Plan {
    let axes = g.forwardAxes
    return Plan(source: g.input, result: g.output, y: axes.y, x: axes.x)
  }

  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    func floats(_ plan: Plan) -> Int {
      plan.packedFloats + plan.tapFloats + plan.result.pixelStride
        + ConvolutionResults.momentFloats(units: plan.units, shape: plan.result)
        + max(ConvolutionResults.statisticsScratchFloats(plan.result), compute.threads * plan.workerFloats)
    }
    let plan = forwardPlan(g)
    let sums = min(maximalChunks, g.batch) * plan.packedFloats + plan.tapFloats + compute.threads * plan.workerFloats
    var most = max(floats(plan), sums)
    g.forEachGradientPhase { y, x in
      most = max(most, floats(Plan(source: g.output, result: g.input, y: y, x: x)))
    }
    return most
  }

  static func preparedFloats(_ g: ConvolutionGeometry) -> Int {
    let plan = forwardPlan(g)
    return plan.packedFloats + plan.tapFloats
  }

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
    let kernels = compute.kernels, prepared: UnsafePointer<Float>
    switch weight {
    case .prepared(let given): prepared = given
    case .dense(let dense):
      prepare(g, plan, dense, into: scratch, kernels)
      prepared = UnsafePointer(scratch)
    }
    let bias = scratch + plan.packedFloats + plan.tapFloats, moments = bias + plan.result.pixelStride
    let workers = moments + ConvolutionResults.momentFloats(units: plan.units, shape: plan.result)
    bias.update(repeating: 0, count: plan.result.pixelStride)
    if let given = epilogue.bias { bias.update(from: given, count: plan.result.c) }
    let results = ConvolutionResults(
      shape: plan.result, result: result, epilogue: epilogue, moments: moments, kernels: kernels)
    compute.forEachChunk(plan.units) { unit, worker in
      let part = workers + worker * plan.workerFloats, strip = plan.results(unit)
      let target = results.target(strip, scratch: part + plan.sourceFloats)
      plan.gather(
        image: unit / plan.strips, row: unit % plan.strips * plan.stripRows, from: source, into: part, kernels)
      var job = plan.job(strip, target)
      job.taps = UnsafeRawPointer(prepared + plan.packedFloats).assumingMemoryBound(to: Int32.self)
      let next = plan.sourceAhead(unit + 1, source)
      let ahead = MemoryAhead(regions: (next.0, next.1, results.ahead(strip)))
      for block in 0..<plan.blocks {
        job.ahead = ahead.part(block, of: plan.blocks)
        job.lanes = Int64(plan.lanes(of: block))
        job.result = target.pointer + block * 16
        job.source = UnsafePointer(part + block * plan.planeFloats)
        job.weights = prepared + block * plan.taps * 16
        job.bias = UnsafePointer(bias + block * 16)
        kernels.depthwise(&job)
      }
      results.finish(strip, at: target, unit: unit)
    }
    results.writeStatistics(units: plan.units, scratch: workers, compute: compute) { plan.results($0) }
  }

  /// Dense `[ky][kx][channel]` to `[block][tap][16]`, taps in the order of the plan, then where the taps lie.
  private static func prepare(
    _ g: ConvolutionGeometry, _ plan: Plan, _ weight: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    _ kernels: nr_kernels
  ) {
    UnsafeMutableRawPointer(packed + plan.packedFloats).withMemoryRebound(to: Int32.self, capacity: plan.tapFloats) {
      plan.writeTaps($0)
    }
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
    let chunks = min(maximalChunks, g.batch)
    let tapStorage = scratch + chunks * plan.packedFloats, workers = tapStorage + plan.tapFloats
    UnsafeMutableRawPointer(tapStorage).withMemoryRebound(to: Int32.self, capacity: plan.tapFloats) { taps in
      plan.writeTaps(taps)
      compute.forEachChunk(chunks) { chunk, worker in
        let sums = scratch + chunk * plan.packedFloats, part = workers + worker * plan.workerFloats
        kernels.fill(0, sums, Int64(plan.packedFloats))
        for image in g.batch * chunk / chunks..<g.batch * (chunk + 1) / chunks {
          addImage(image, plan, taps, input, outputGradient, into: sums, part, kernels)
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

  /// Adds the products of one image to the sums `[block][tap][16]`.
  private static func addImage(
    _ image: Int, _ plan: Plan, _ taps: UnsafePointer<Int32>, _ input: Convolution.Source,
    _ outputGradient: Convolution.Source, into sums: UnsafeMutablePointer<Float>,
    _ part: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let made = part + plan.sourceFloats
    var job = nr_depthwise_gradient_job()
    job.taps = taps
    job.tap_count = Int64(plan.taps)
    job.columns = Int64(plan.x.resultCount)
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    job.gradient_column = outputGradient.isPlain ? Int64(plan.result.pixelStride) : 16
    job.gradient_row = Int64(plan.x.resultCount) * job.gradient_column
    job.neighbours = plan.x.step == 1 ? Int64(plan.x.count) : 1
    for strip in 0..<plan.strips {
      let row = strip * plan.stripRows, place = plan.results(image * plan.strips + strip)
      job.rows = Int64(place.rows)
      plan.gather(image: image, row: row, from: input, into: part, kernels)
      if !outputGradient.isPlain {
        plan.gatherGradient(image: image, row: row, from: outputGradient, into: made, kernels)
      }
      let unit = image * plan.strips + strip, next = plan.gradientAhead(unit + 1, outputGradient)
      let ahead = MemoryAhead(regions: (plan.sourceAhead(unit + 1, input).0, next.0, next.1))
      for block in 0..<plan.blocks {
        job.ahead = ahead.part(block, of: plan.blocks)
        job.source = UnsafePointer(part + block * plan.planeFloats)
        job.gradient =
          outputGradient.isPlain
          ? outputGradient.job.image + (place.offset + block * 16)
          : UnsafePointer(made + block * place.rows * place.columns * 16)
        job.result = sums + block * plan.taps * 16
        kernels.depthwise_gradient(&job)
      }
    }
  }
}
