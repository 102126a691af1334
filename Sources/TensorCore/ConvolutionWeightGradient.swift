import CKernels

/// The weight gradient of a convolution: each chunk of images sums into its own packed copy of the weights; the copies
/// are added in chunk order and scattered into the dense layout.
enum ConvolutionWeightGradient {
  /// Pixels that one kernel call sums, so that both operands stay in the first-level cache.
  private static let pixelsPerCall = 128

  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    let plan = Convolution.forwardPlan(g, compute), totals = plan.totals
    return chunkCount(plan) * totals.packed + paddedChannels(2 * totals.runs) + compute.threads
      * paddedChannels(plan.workerFloats)
  }

  /// Fewer chunks for large weights, whose copies would take more memory than the images.
  private static func chunkCount(_ plan: TapConvolution) -> Int {
    max(1, min(maximalChunks, plan.units, (1 << 22) / plan.geometry.weightCount))
  }

  static func run(
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let plan = Convolution.forwardPlan(g, compute), totals = plan.totals, kernels = compute.kernels
    let chunks = chunkCount(plan)
    let runStorage = scratch + chunks * totals.packed
    let workers = runStorage + paddedChannels(2 * totals.runs)
    UnsafeMutableRawPointer(runStorage).withMemoryRebound(to: nr_run.self, capacity: max(1, totals.runs)) { runs in
      plan.writeRuns(runs)
      compute.forEachChunk(chunks) { chunk, worker in
        let sums = scratch + chunk * totals.packed
        kernels.fill(0, sums, Int64(totals.packed))
        let part = workers + worker * paddedChannels(plan.workerFloats)
        for unit in plan.units * chunk / chunks..<plan.units * (chunk + 1) / chunks {
          let strip = plan.strip(unit)
          let source = plan.gather(strip, from: input, into: part, kernels)
          sum(plan, strip, source: source, runs: runs, outputGradient: outputGradient, into: sums, kernels)
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

  /// Adds the products of one strip, a few rows at a time.
  private static func sum(
    _ plan: TapConvolution, _ strip: TapConvolution.Strip, source: UnsafePointer<Float>,
    runs: UnsafePointer<nr_run>, outputGradient: UnsafePointer<Float>, into sums: UnsafeMutablePointer<Float>,
    _ kernels: nr_kernels
  ) {
    let rowsPerCall = max(1, pixelsPerCall / strip.columns.count)
    var job = nr_weight_gradient_job()
    job.columns = Int64(strip.columns.count)
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    job.gradient_column = Int64(plan.result.pixelStride)
    job.gradient_row = Int64(plan.result.w * plan.result.pixelStride)
    for row in stride(from: strip.rows.lowerBound, to: strip.rows.upperBound, by: rowsPerCall) {
      job.rows = Int64(min(rowsPerCall, strip.rows.upperBound - row))
      job.source = source + (row - strip.rows.lowerBound) * Int(job.source_row)
      let first = plan.resultOffset(image: strip.image, row: row, column: strip.columns.lowerBound)
      plan.forEachBlock { block in
        job.gradient = outputGradient + (first + block.firstLane)
        job.runs = runs + block.runOffset
        job.run_count = Int64(block.runCount)
        job.result = sums + block.packedOffset
        job.vectors = Int64(block.vectors)
        kernels.weight_gradient(&job)
      }
    }
  }
}
