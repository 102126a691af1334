import CKernels

/// Convolution where each channel has its own window: 16 channels at a time, lane by lane.
enum DepthwiseConvolution {
  private static func forwardPlan(_ g: ConvolutionGeometry) -> DepthwisePlan {
    let axes = g.forwardAxes
    return DepthwisePlan(source: g.input, result: g.output, y: axes.y, x: axes.x)
  }

  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    func floats(_ plan: DepthwisePlan) -> Int {
      plan.packedFloats + plan.result.pixelStride
        + ConvolutionResults.momentFloats(units: plan.strips, shape: plan.result)
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
      most = max(most, floats(DepthwisePlan(source: g.output, result: g.input, y: y, x: x)))
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
        g, DepthwisePlan(source: g.output, result: g.input, y: y, x: x), source: outputGradient, weight: .dense(weight),
        epilogue: epilogue, result: inputGradient, scratch: scratch, compute)
    }
  }

  private static func run(
    _ g: ConvolutionGeometry, _ plan: DepthwisePlan, source: Convolution.Source, weight: Convolution.Weight,
    epilogue: Convolution.Epilogue, result: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    _ compute: Compute
  ) {
    let operands = operands(
      g, plan, source: source, weight: weight, epilogue: epilogue, result: result, scratch: scratch, compute.kernels)
    let workers = operands.moments + ConvolutionResults.momentFloats(units: plan.strips, shape: plan.result)
    compute.forEachChunk(plan.units) { unit, worker in
      runUnit(
        unit, plan, operands, copies: !source.isPlain, scratch: workers + worker * plan.workerFloats)
    }
    operands.results.writeStatistics(units: plan.strips, scratch: workers, compute: compute) { plan.results($0) }
    operands.results.finishReduction(units: plan.strips, compute: compute) { plan.results($0) }
  }

  /// What all units work on.
  private struct Operands {
    let source: Convolution.Source, prepared: UnsafePointer<Float>, bias: UnsafePointer<Float>
    let results: ConvolutionResults
    var moments: UnsafeMutablePointer<Float> { results.moments }
    var kernels: nr_kernels { results.kernels }
  }

  /// Puts what the workers share into scratch: weights, bias, room for moments.
  private static func operands(
    _ g: ConvolutionGeometry, _ plan: DepthwisePlan, source: Convolution.Source, weight: Convolution.Weight,
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
    _ index: Int, _ plan: DepthwisePlan, _ operands: Operands, copies: Bool, scratch part: UnsafeMutablePointer<Float>
  ) {
    let unit = plan.unit(index), strip = plan.results(unit.strip), kernels = operands.kernels,
      results = operands.results
    let image = operands.source.of(image: unit.strip / plan.imageStrips, plan.source).image
    let target = results.target(strip, lanes: unit.lanes, scratch: part + plan.sourceFloats)
    if copies { plan.gather(unit, from: operands.source, into: part, kernels) }
    var job = plan.job(unit, target, inPlace: !copies)
    (job.low, job.high) = results.kernelBounds
    let next = plan.sourceAhead(index + 1, operands.source)
    let ahead = MemoryAhead(regions: (next.0, next.1, results.ahead(strip, lanes: unit.lanes)))
    for (place, block) in unit.blocks.enumerated() {
      job.ahead = ahead.part(place, of: unit.blocks.count)
      job.lanes = Int64(plan.lanes(of: block))
      job.result = target.pointer + place * 16
      job.source = copies ? UnsafePointer(part + place * plan.planeFloats) : image.map { $0 + block * 16 }
      job.weights = operands.prepared + block * plan.taps * 16
      job.bias = operands.bias + block * 16
      kernels.depthwise(&job)
    }
    results.finish(strip, lanes: unit.lanes, at: target, unit: unit.strip, isClamped: true)
  }

  /// Dense `[ky][kx][channel]` to `[block][tap][16]`, taps in the order of the plan.
  private static func prepare(
    _ g: ConvolutionGeometry, _ plan: DepthwisePlan, _ weight: UnsafePointer<Float>,
    into packed: UnsafeMutablePointer<Float>,
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
      index, sums, taps, part in
      let gradient = plan.gradient(plan.unit(index), outputGradient, made: part + plan.sourceFloats, kernels)
      let ahead = plan.gradientAhead(index + 1, outputGradient)
      add(index, plan, taps, input, gradient, ahead, to: sums, scratch: part, kernels)
    }
  }

  /// The plan of the input gradient, if its windows hold the output gradient that the weight gradient reads.
  private static func sharedGradientPlan(_ g: ConvolutionGeometry) -> DepthwisePlan? {
    guard g.stride == Extent(1), g.inputHeight == g.outputHeight, g.inputWidth == g.outputWidth else { return nil }
    var shared: DepthwisePlan?
    g.forEachGradientPhase { y, x in shared = DepthwisePlan(source: g.output, result: g.input, y: y, x: x) }
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
    let sums = operands.moments + ConvolutionResults.momentFloats(units: back.strips, shape: back.result)
    sumChunks(
      g, plan, into: weightGradient, scratch: sums, workerFloats: back.workerFloats + plan.sourceFloats, compute
    ) { unit, sums, taps, part in
      runUnit(unit, back, operands, copies: true, scratch: part)
      let gradient = DepthwisePlan.Gradient(
        pointer: UnsafePointer(part + first), block: back.planeFloats, row: back.scratchColumns * 16, column: 16)
      add(
        unit, plan, taps, input, gradient, (nr_ahead(), nr_ahead()), to: sums, scratch: part + back.workerFloats,
        kernels)
    }
    operands.results.finishReduction(units: back.strips, compute: compute) { back.results($0) }
    return true
  }

  /// Sums of chunks of images `[block][tap][16]`, added in chunk order: the body adds a unit's products.
  private static func sumChunks(
    _ g: ConvolutionGeometry, _ plan: DepthwisePlan, into weightGradient: UnsafeMutablePointer<Float>,
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
        let units = plan.imageStrips * plan.groups
        for unit in images.lowerBound * units..<images.upperBound * units {
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
    _ index: Int, _ plan: DepthwisePlan, _ taps: UnsafePointer<Int32>, _ input: Convolution.Source,
    _ gradient: DepthwisePlan.Gradient, _ ahead: (nr_ahead, nr_ahead), to sums: UnsafeMutablePointer<Float>,
    scratch part: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let unit = plan.unit(index)
    var job = nr_depthwise_gradient_job()
    job.taps = taps
    job.tap_count = Int64(plan.taps)
    (job.rows, job.columns) = (Int64(plan.results(unit.strip).rows), Int64(plan.x.resultCount))
    job.source_column = Int64(16 * plan.x.sourceStep)
    job.source_row = Int64(plan.scratchColumns * 16 * plan.y.sourceStep)
    (job.gradient_row, job.gradient_column) = (Int64(gradient.row), Int64(gradient.column))
    job.neighbours = plan.x.step == 1 ? Int64(plan.x.count) : 1
    plan.gather(unit, from: input, into: part, kernels)
    let regions = MemoryAhead(regions: (plan.sourceAhead(index + 1, input).0, ahead.0, ahead.1))
    for (place, block) in unit.blocks.enumerated() {
      job.ahead = regions.part(place, of: unit.blocks.count)
      job.source = UnsafePointer(part + place * plan.planeFloats)
      job.gradient = gradient.pointer + place * gradient.block
      job.result = sums + block * plan.taps * 16
      kernels.depthwise_gradient(&job)
    }
  }
}
