import CKernels

/// Two-dimensional convolution and its two gradients, by direct sums over taps. Any stride, padding, dilation and
/// groups; depthwise convolution has its own kernels.
///
/// Images are channel-padded NHWC, weights dense `[ky][kx][ci / groups][co]`. For each result the products are added
/// in the order ky, kx, ci (the input gradient: taps of its phase row by row, then co; the weight gradient: pixels of
/// a chunk in row order, then chunks), so that neither threads nor vector width change a bit. A linear layer is the
/// 1×1 convolution of an image of one pixel. Results are overwritten and never share memory with the inputs.
public enum Convolution {
  /// Floats of scratch, for all workers of the compute, that the three operations need at most.
  public static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    if g.isDepthwise { return DepthwiseConvolution.scratchFloats(g, compute: compute) }
    if g.isPointwise { return PointwiseConvolution.scratchFloats(g, compute: compute) }
    var most = scratchFloats(forwardPlan(g, compute), compute)
    forEachPhase(g, compute) { most = max(most, scratchFloats($0, compute)) }
    return max(most, ConvolutionWeightGradient.scratchFloats(g, compute: compute))
  }

  /// output = the convolution of the input, plus the bias.
  ///
  /// - Parameters:
  ///   - bias: Dense `[outputChannels]`, or nil.
  ///   - scratch: `scratchFloats` floats; the contents don't matter.
  public static func forward(
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    if g.isDepthwise {
      DepthwiseConvolution.forward(
        g, input: input, weight: weight, bias: bias, output: output, scratch: scratch, compute: compute)
    } else if g.isPointwise {
      PointwiseConvolution.forward(
        g, input: input, weight: weight, bias: bias, output: output, scratch: scratch, compute: compute)
    } else {
      run(
        forwardPlan(g, compute), source: input, weight: weight, bias: bias, result: output, scratch: scratch,
        compute: compute)
    }
  }

  /// inputGradient = the gradient of the loss by the input, from that by the output.
  public static func inputGradient(
    _ g: ConvolutionGeometry, outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    if g.isDepthwise {
      DepthwiseConvolution.inputGradient(
        g, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient, scratch: scratch,
        compute: compute)
    } else if g.isPointwise {
      PointwiseConvolution.inputGradient(
        g, outputGradient: outputGradient, weight: weight, inputGradient: inputGradient, scratch: scratch,
        compute: compute)
    } else {
      forEachPhase(g, compute) {
        run(
          $0, source: outputGradient, weight: weight, bias: nil, result: inputGradient, scratch: scratch,
          compute: compute)
      }
    }
  }

  /// weightGradient (dense) = the gradient of the loss by the weights, summed over the batch.
  public static func weightGradient(
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    if g.isDepthwise {
      DepthwiseConvolution.weightGradient(
        g, input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch,
        compute: compute)
    } else if g.isPointwise {
      PointwiseConvolution.weightGradient(
        g, input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch,
        compute: compute)
    } else {
      ConvolutionWeightGradient.run(
        g, input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch,
        compute: compute)
    }
  }

  // MARK: Plans

  static func forwardPlan(_ g: ConvolutionGeometry, _ compute: Compute) -> TapConvolution {
    let axes = g.forwardAxes
    return TapConvolution(
      g, source: g.input, result: g.output, y: axes.y, x: axes.x, transposed: false, compute: compute)
  }

  /// The convolutions that the input gradient consists of, one for each remainder of the input position by the stride.
  private static func forEachPhase(_ g: ConvolutionGeometry, _ compute: Compute, _ body: (TapConvolution) -> Void) {
    g.forEachGradientPhase { y, x in
      body(
        TapConvolution(g, source: g.output, result: g.input, y: y, x: x, transposed: true, compute: compute))
    }
  }

  /// Packed weights, bias, runs, then a part for each worker.
  private static func scratchFloats(_ plan: TapConvolution, _ compute: Compute) -> Int {
    let totals = plan.totals
    return totals.packed + plan.result.pixelStride + paddedChannels(2 * totals.runs) + compute.threads
      * paddedChannels(plan.workerFloats)
  }

  private static func run(
    _ plan: TapConvolution, source: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    let totals = plan.totals, kernels = compute.kernels
    let packedBias = scratch + totals.packed, runStorage = packedBias + plan.result.pixelStride
    let workers = runStorage + paddedChannels(2 * totals.runs)
    plan.forEachBlock { block in
      var job = plan.packJob(block, dense: weight, packed: scratch)
      kernels.pack(&job)
    }
    packedBias.update(repeating: 0, count: plan.result.pixelStride)
    if let bias { packedBias.update(from: bias, count: plan.result.c) }
    UnsafeMutableRawPointer(runStorage).withMemoryRebound(to: nr_run.self, capacity: max(1, totals.runs)) { runs in
      plan.writeRuns(runs)
      compute.forEachChunk(plan.units) { unit, worker in
        let strip = plan.strip(unit)
        let part = plan.gather(
          strip, from: source, into: workers + worker * paddedChannels(plan.workerFloats), kernels)
        plan.forEachBlock { block in
          var job = tapJob(plan, block, strip, source: part, runs: runs, result: result)
          job.weights = UnsafePointer(scratch + block.packedOffset)
          job.bias = UnsafePointer(packedBias + block.firstLane)
          kernels.taps(&job)
        }
      }
    }
  }

  private static func tapJob(
    _ plan: TapConvolution, _ block: TapConvolution.Block, _ strip: TapConvolution.Strip,
    source: UnsafePointer<Float>, runs: UnsafePointer<nr_run>, result: UnsafeMutablePointer<Float>
  ) -> nr_tap_job {
    var job = nr_tap_job()
    job.source = source
    job.runs = runs + block.runOffset
    job.run_count = Int64(block.runCount)
    let first = plan.resultOffset(
      image: strip.image, row: strip.rows.lowerBound, column: strip.columns.lowerBound)
    job.result = result + (first + block.firstLane)
    (job.rows, job.columns) = (Int64(strip.rows.count), Int64(strip.columns.count))
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    job.result_column = Int64(plan.result.pixelStride * plan.x.resultStep)
    job.result_row = Int64(plan.result.w * plan.result.pixelStride * plan.y.resultStep)
    job.vectors = Int64(block.vectors)
    job.last_lanes = Int64(block.lanes - (block.vectors - 1) * 16)
    return job
  }
}

extension ConvolutionGeometry {
  /// The axes of the forward convolution.
  var forwardAxes: (y: TapAxis, x: TapAxis) {
    (
      .forward(
        kernel: kernel.height, stride: stride.height, padding: padding.height, dilation: dilation.height,
        output: outputHeight),
      .forward(
        kernel: kernel.width, stride: stride.width, padding: padding.width, dilation: dilation.width,
        output: outputWidth)
    )
  }

  /// Calls the body with the axes of each phase of the input gradient that has a pixel.
  func forEachGradientPhase(_ body: (_ y: TapAxis, _ x: TapAxis) -> Void) {
    for phaseY in 0..<min(stride.height, inputHeight) {
      let y = TapAxis.gradient(
        kernel: kernel.height, stride: stride.height, padding: padding.height, dilation: dilation.height,
        input: inputHeight, phase: phaseY)
      for phaseX in 0..<min(stride.width, inputWidth) {
        let x = TapAxis.gradient(
          kernel: kernel.width, stride: stride.width, padding: padding.width, dilation: dilation.width,
          input: inputWidth, phase: phaseX)
        body(y, x)
      }
    }
  }
}
