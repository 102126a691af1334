import CKernels

// Depthwise convolution of one vector of channels: each lane has its own weights.

@inline(__always)
private func tile<let pixels: Int>(
  _ job: nr_depthwise_job, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
  _ stride: Int, _ mask: LaneBits, _ start: InlineArray<pixels, Lanes>
) {
  var sums = start
  for tap in 0..<Int(job.tap_count) {
    let w = load(job.weights! + tap &* 16)
    let values = source + Int(job.taps![tap])
    for p in 0..<pixels { sums[p] = fused(load(values + p &* stride), w, sums[p]) }
  }
  let step = Int(job.result_column)
  for p in 0..<pixels where p < count { store(masked(sums[p], mask), result + p &* step) }
}

@inline(__always)
private func tiles(_ job: nr_depthwise_job, _ stride: Int) {
  let mask = laneMask(Int(job.lanes))
  let bias = load(job.bias!)
  for row in 0..<Int(job.rows) {
    var source = job.source! + row &* Int(job.source_row)
    var result = job.result! + row &* Int(job.result_row)
    var left = Int(job.columns)
    while left > 0 {
      tile(job, source, result, left, stride, mask, DepthwiseTile(repeating: bias))
      source += DepthwiseTile.count &* stride
      result += DepthwiseTile.count &* Int(job.result_column)
      left &-= DepthwiseTile.count
    }
  }
}

@inline(never) private func tiles16(_ job: nr_depthwise_job) { tiles(job, 16) }
@inline(never) private func tilesAny(_ job: nr_depthwise_job) { tiles(job, Int(job.source_column)) }

func depthwise(_ pointer: UnsafePointer<nr_depthwise_job>) {
  let job = pointer.pointee
  if job.source_column == 16 { tiles16(job) } else { tilesAny(job) }
}

/// `count` taps from `taps` on, over all pixels.
@inline(__always)
private func gradientTile<let size: Int>(
  _ job: nr_depthwise_gradient_job, _ taps: UnsafePointer<Int32>, _ result: UnsafeMutablePointer<Float>,
  _ zeros: InlineArray<size, Lanes>
) {
  var sums = zeros
  var offsets = InlineArray<size, Int>(repeating: 0)
  for t in 0..<size {
    sums[t] = load(result + t &* 16)
    offsets[t] = Int(taps[t])
  }
  for row in 0..<Int(job.rows) {
    var values = job.source! + row &* Int(job.source_row)
    var gradient = job.gradient! + row &* Int(job.gradient_row)
    for _ in 0..<Int(job.columns) {
      let g = load(gradient)
      for t in 0..<size { sums[t] = fused(load(values + offsets[t]), g, sums[t]) }
      values += Int(job.source_column)
      gradient += Int(job.gradient_column)
    }
  }
  for t in 0..<size { store(sums[t], result + t &* 16) }
}

func depthwiseGradient(_ pointer: UnsafePointer<nr_depthwise_gradient_job>) {
  let job = pointer.pointee
  let count = Int(job.tap_count)
  var tap = 0
  while tap < count {
    let taps = job.taps! + tap, result = job.result! + tap &* 16
    if tap &+ DepthwiseGradientTile.count <= count {
      gradientTile(job, taps, result, DepthwiseGradientTile(repeating: Lanes(repeating: 0)))
      tap &+= DepthwiseGradientTile.count
    } else {
      gradientTile(job, taps, result, InlineArray<1, Lanes>(repeating: Lanes(repeating: 0)))
      tap &+= 1
    }
  }
}
