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
    /// Scratch of one worker; tiles read (and ignore) up to 16 pixels past the end.
    var workerFloats: Int { planeFloats * blocks + 16 * 16 * x.sourceStep }
    var packedFloats: Int { blocks * taps * 16 }
    var tapFloats: Int { paddedChannels(taps) }

    /// Writes where each tap lies from the pixel.
    func writeTaps(_ taps: UnsafeMutablePointer<Int32>) {
      for tap in 0..<self.taps {
        let row = y.first - y.low + tap / x.count * y.step, column = x.first - x.low + tap % x.count * x.step
        taps[tap] = Int32((row * scratchColumns + column) * 16)
      }
    }

    /// Copies what a strip reads into scratch.
    func gather(
      image: Int, row: Int, from source: UnsafePointer<Float>, into scratch: UnsafeMutablePointer<Float>,
      _ kernels: nr_kernels
    ) {
      let shape = self.source
      var job = nr_border_job(
        image: source + image * shape.h * shape.w * shape.pixelStride, scratch: scratch, height: Int64(shape.h),
        width: Int64(shape.w), pixel: Int64(shape.pixelStride), first_block: 0, blocks: Int64(blocks),
        top: Int64(y.low + row * y.sourceStep), left: Int64(x.low), rows: Int64(scratchRows),
        columns: Int64(scratchColumns))
      kernels.border(&job)
    }

    func resultOffset(image: Int, block: Int, row: Int) -> Int {
      let pixelRow = y.resultFirst + row * y.resultStep
      return ((image * result.h + pixelRow) * result.w + x.resultFirst) * result.pixelStride + block * 16
    }

    func lanes(of block: Int) -> Int { min(16, source.c - block * 16) }

    /// A job without its operands.
    func job(image: Int, block: Int, row: Int, result pointer: UnsafeMutablePointer<Float>) -> nr_depthwise_job {
      var job = nr_depthwise_job()
      job.result = pointer + resultOffset(image: image, block: block, row: row)
      job.tap_count = Int64(taps)
      (job.rows, job.columns) = (Int64(min(stripRows, y.resultCount - row)), Int64(x.resultCount))
      job.source_column = Int64(16 * x.sourceStep)
      job.source_row = Int64(scratchColumns * 16 * y.sourceStep)
      job.result_column = Int64(result.pixelStride * x.resultStep)
      job.result_row = Int64(result.w * result.pixelStride * y.resultStep)
      job.lanes = Int64(lanes(of: block))
      return job
    }
  }

  private static func forwardPlan(_ g: ConvolutionGeometry) -> Plan {
    let axes = g.forwardAxes
    return Plan(source: g.input, result: g.output, y: axes.y, x: axes.x)
  }

  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    func floats(_ plan: Plan, copies: Int) -> Int {
      copies * plan.packedFloats + plan.result.pixelStride + plan.tapFloats + compute.threads * plan.workerFloats
    }
    var most = floats(forwardPlan(g), copies: min(maximalChunks, g.batch))
    g.forEachGradientPhase { y, x in
      most = max(most, floats(Plan(source: g.output, result: g.input, y: y, x: x), copies: 1))
    }
    return most
  }

  static func forward(
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    run(g, forwardPlan(g), source: input, weight: weight, bias: bias, result: output, scratch: scratch, compute)
  }

  static func inputGradient(
    _ g: ConvolutionGeometry, outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    g.forEachGradientPhase { y, x in
      let plan = Plan(source: g.output, result: g.input, y: y, x: x)
      run(
        g, plan, source: outputGradient, weight: weight, bias: nil, result: inputGradient, scratch: scratch, compute)
    }
  }

  private static func run(
    _ g: ConvolutionGeometry, _ plan: Plan, source: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ compute: Compute
  ) {
    let kernels = compute.kernels
    let packedBias = scratch + plan.packedFloats, tapStorage = packedBias + plan.result.pixelStride
    let workers = tapStorage + plan.tapFloats
    packWeights(g, plan, weight, into: scratch, kernels)
    packedBias.update(repeating: 0, count: plan.result.pixelStride)
    if let bias { packedBias.update(from: bias, count: plan.result.c) }
    UnsafeMutableRawPointer(tapStorage).withMemoryRebound(to: Int32.self, capacity: plan.tapFloats) { taps in
      plan.writeTaps(taps)
      compute.forEachChunk(g.batch * plan.strips) { unit, worker in
        let image = unit / plan.strips, row = unit % plan.strips * plan.stripRows
        let part = workers + worker * plan.workerFloats
        plan.gather(image: image, row: row, from: source, into: part, kernels)
        for block in 0..<plan.blocks {
          var job = plan.job(image: image, block: block, row: row, result: result)
          job.source = UnsafePointer(part + block * plan.planeFloats)
          job.taps = UnsafePointer(taps)
          job.weights = UnsafePointer(scratch + block * plan.taps * 16)
          job.bias = UnsafePointer(packedBias + block * 16)
          kernels.depthwise(&job)
        }
      }
    }
  }

  /// Dense `[ky][kx][channel]` to `[block][tap][16]`, taps in the order of the plan.
  private static func packWeights(
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
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
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
    _ image: Int, _ plan: Plan, _ taps: UnsafePointer<Int32>, _ input: UnsafePointer<Float>,
    _ outputGradient: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>,
    _ part: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    var job = nr_depthwise_gradient_job()
    job.taps = taps
    job.tap_count = Int64(plan.taps)
    job.columns = Int64(plan.x.resultCount)
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    job.gradient_column = Int64(plan.result.pixelStride)
    job.gradient_row = Int64(plan.result.w * plan.result.pixelStride)
    job.neighbours = plan.x.step == 1 ? Int64(plan.x.count) : 1
    for row in stride(from: 0, to: plan.y.resultCount, by: plan.stripRows) {
      job.rows = Int64(min(plan.stripRows, plan.y.resultCount - row))
      plan.gather(image: image, row: row, from: input, into: part, kernels)
      for block in 0..<plan.blocks {
        job.source = UnsafePointer(part + block * plan.planeFloats)
        job.gradient = outputGradient + plan.resultOffset(image: image, block: block, row: row)
        job.result = sums + block * plan.taps * 16
        kernels.depthwise_gradient(&job)
      }
    }
  }
}
