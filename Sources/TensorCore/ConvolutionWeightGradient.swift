import CKernels

/// The weight gradient of a convolution: each chunk of images sums into its own packed copy of the weights; the copies
/// are added in chunk order and scattered into the dense layout.
enum ConvolutionWeightGradient {
  /// Pixels that one kernel call sums, so that both operands stay in the first-level cache.
  private static let pixelsPerCall = 128

  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    let plan = g.forwardTaps(compute), totals = plan.totals
    return chunkCount(plan) * totals.packed + paddedChannels(2 * totals.runs) + compute.threads
      * (paddedChannels(plan.sourceFloats) + plan.resultFloats)
  }

  /// Fewer chunks for large weights, whose copies would take more memory than the images.
  private static func chunkCount(_ plan: TapConvolution) -> Int {
    max(1, min(maximalChunks, plan.units, (1 << 22) / plan.geometry.weightCount))
  }

  static func run(
    _ g: ConvolutionGeometry, input: Convolution.Source, outputGradient: Convolution.Source,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let plan = g.forwardTaps(compute), kernels = compute.kernels, sourceFloats = paddedChannels(plan.sourceFloats)
    sumChunks(plan, into: weightGradient, scratch: scratch, workerFloats: sourceFloats + plan.resultFloats, compute) {
      unit, sums, runs, part in
      let gradient = plan.gatherGradient(plan.strip(unit), from: outputGradient, into: part + sourceFloats, kernels)
      let ahead = plan.gradientAhead(unit + 1, outputGradient)
      add(unit, plan, runs, input, gradient, ahead, into: sums, scratch: part, kernels)
    }
  }

  /// The input gradient of a pointwise convolution in the units of the weight gradient.
  private static func pointwiseInputGradient(_ g: ConvolutionGeometry, _ plan: TapConvolution, _ compute: Compute)
    -> DirectConvolution?
  {
    guard plan.y.isIdentity, plan.x.isIdentity, g.groups == 1 else { return nil }
    var back: TapConvolution?
    g.forEachGradientTaps(compute) { back = $0 }
    back?.stripColumns = plan.stripColumns
    return back.map { DirectConvolution($0, compute: compute) }
  }

  /// Floats of scratch that `gradients` needs; 0 where it doesn't serve.
  static func sharedScratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    let plan = g.forwardTaps(compute)
    guard let back = pointwiseInputGradient(g, plan, compute) else { return 0 }
    return back.scratchFloats + scratchFloats(g, compute: compute)
  }

  /// Both gradients of a pointwise convolution, strip by strip, so that each source is read and made once. False for
  /// other convolutions.
  static func gradients(
    _ g: ConvolutionGeometry, input: Convolution.Source, outputGradient: Convolution.Source,
    weight: UnsafePointer<Float>, epilogue: Convolution.Epilogue, inputGradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) -> Bool {
    let plan = g.forwardTaps(compute)
    guard let back = pointwiseInputGradient(g, plan, compute) else { return false }
    let operands = back.operands(
      source: outputGradient, weight: .dense(weight), epilogue: epilogue, result: inputGradient, scratch: scratch)
    sumChunks(
      plan, into: weightGradient, scratch: scratch + back.sharedFloats,
      workerFloats: back.workerFloats + paddedChannels(plan.sourceFloats), compute
    ) { unit, sums, runs, part in
      // Each of the two products asks for a part of what the next unit reads.
      let source = back.runUnit(unit, operands, scratch: part, asksForBoth: false)
      let gradient = GradientStrip(pointer: source, column: 16, row: 0, vector: back.taps.planeFloats)
      let ahead = (back.taps.sourceAhead(unit + 1, outputGradient).1, nr_ahead())
      add(
        unit, plan, runs, input, gradient, ahead, into: sums, scratch: part + back.workerFloats, compute.kernels)
    }
    back.finishReduction(operands)
    return true
  }

  /// Packed sums of chunks of units, added in chunk order: the body adds a unit's products.
  private static func sumChunks(
    _ plan: TapConvolution, into weightGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, workerFloats: Int, _ compute: Compute,
    _ add: (Int, UnsafeMutablePointer<Float>, UnsafePointer<nr_run>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let totals = plan.totals, kernels = compute.kernels, chunks = chunkCount(plan)
    let runStorage = scratch + chunks * totals.packed
    let workers = runStorage + paddedChannels(2 * totals.runs)
    UnsafeMutableRawPointer(runStorage).withMemoryRebound(to: nr_run.self, capacity: max(1, totals.runs)) { runs in
      plan.writeRuns(runs)
      compute.forEachChunk(chunks) { chunk, worker in
        let sums = scratch + chunk * totals.packed
        kernels.fill(0, sums, Int64(totals.packed))
        for unit in plan.units * chunk / chunks..<plan.units * (chunk + 1) / chunks {
          add(unit, sums, UnsafePointer(runs), workers + worker * workerFloats)
        }
      }
    }
    for chunk in 1..<max(1, chunks) {
      kernels.accumulate(scratch + chunk * totals.packed, 1, scratch, Int64(totals.packed))
    }
    plan.forEachBlock { block in
      var job = plan.packJob(block, dense: weightGradient, packed: scratch)
      kernels.unpack(&job)
    }
  }

  /// Adds the products of one unit.
  ///
  /// - Parameter ahead: What else the next unit reads.
  private static func add(
    _ unit: Int, _ plan: TapConvolution, _ runs: UnsafePointer<nr_run>, _ input: Convolution.Source,
    _ gradient: GradientStrip, _ ahead: (nr_ahead, nr_ahead), into sums: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let strip = plan.strip(unit), source = plan.gather(strip, from: input, into: scratch, kernels)
    let regions = MemoryAhead(regions: (plan.sourceAhead(unit + 1, input).0, ahead.0, ahead.1))
    sum(plan, strip, source: source, runs: runs, gradient: gradient, ahead: regions, into: sums, kernels)
  }

  /// Adds the products of one strip, a few rows at a time.
  private static func sum(
    _ plan: TapConvolution, _ strip: TapConvolution.Strip, source: UnsafePointer<Float>,
    runs: UnsafePointer<nr_run>, gradient: GradientStrip, ahead: MemoryAhead,
    into sums: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let rowsPerCall = max(1, pixelsPerCall / strip.columns.count)
    let calls = (strip.rows.count + rowsPerCall - 1) / rowsPerCall * plan.blockCount
    var job = nr_weight_gradient_job()
    job.columns = Int64(strip.columns.count)
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    job.gradient_column = Int64(gradient.column)
    job.gradient_row = Int64(gradient.row)
    job.gradient_vector = Int64(gradient.vector)
    job.members = 1
    for row in stride(from: 0, to: strip.rows.count, by: rowsPerCall) {
      job.rows = Int64(min(rowsPerCall, strip.rows.count - row))
      job.source = source + row * Int(job.source_row)
      plan.forEachBlock { block in
        job.ahead = ahead.part(row / rowsPerCall * plan.blockCount + plan.index(of: block), of: calls)
        job.gradient = gradient.pointer + (row * gradient.row + block.firstLane / 16 * gradient.vector)
        job.runs = runs + block.runOffset
        job.run_count = Int64(block.runCount)
        job.result = sums + block.packedOffset
        job.vectors = Int64(block.vectors)
        kernels.weight_gradient(&job)
      }
    }
  }
}

/// The output gradient of one unit, as the kernels read it: floats from a pixel, a row and a vector of channels to the
/// next.
private struct GradientStrip {
  var pointer: UnsafePointer<Float>
  var column: Int, row: Int, vector: Int
}

extension TapConvolution {
  /// What a unit reads of an output gradient: nothing past the last unit.
  fileprivate func gradientAhead(_ unit: Int, _ gradient: Convolution.Source) -> (nr_ahead, nr_ahead) {
    guard unit < units else { return (nr_ahead(), nr_ahead()) }
    let strip = strip(unit)
    if y.isIdentity && x.isIdentity {
      return gradient.ahead(
        ImageShape(n: 1, h: result.w, w: 1, c: result.c), images: 0..<1, rows: strip.columns)
    }
    return gradient.ahead(result, images: strip.image..<strip.image + 1, rows: strip.rows)
  }

  /// The output gradient of a unit: in place, or made in scratch.
  fileprivate func gatherGradient(
    _ strip: Strip, from gradient: Convolution.Source, into scratch: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) -> GradientStrip {
    if gradient.isPlain {
      let first = resultOffset(image: strip.image, row: strip.rows.lowerBound, column: strip.columns.lowerBound)
      return GradientStrip(
        pointer: gradient.job.image + first, column: result.pixelStride, row: result.w * result.pixelStride,
        vector: 16)
    }
    var job = nr_border_job(
      source: gradient.of(image: strip.image, result), scratch: scratch, height: Int64(result.h),
      width: Int64(result.w), pixel: Int64(result.pixelStride), blocks: Int64(result.pixelStride / 16),
      top: Int64(strip.rows.lowerBound), left: Int64(strip.columns.lowerBound), rows: Int64(strip.rows.count),
      columns: Int64(strip.columns.count))
    kernels.border(&job)
    return GradientStrip(
      pointer: UnsafePointer(scratch), column: 16, row: strip.columns.count * 16,
      vector: strip.rows.count * strip.columns.count * 16)
  }
}
