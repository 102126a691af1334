import CKernels

// The convolution kernel: a tile of pixels times one or two vectors of result channels stays in registers while the
// kernel goes through a list of runs (a run is up to 16 channels of one tap). Convolution, its input gradient, strided
// and pointwise convolution and matrix products differ only in the list and the strides.
//
// Per result, the sum starts at the bias and goes through the runs in order, one fused multiply-add each: the size of
// the tile doesn't change a bit.

/// One tile of one vector: two halves, left and right, because the optimiser keeps arrays of up to 8 vectors in
/// registers, but not of 16.
@inline(__always)
private func tile<let half: Int>(
  _ job: nr_tap_job, _ source: UnsafePointer<Float>, _ firstWeights: UnsafePointer<Float>,
  _ result: UnsafeMutablePointer<Float>, _ count: Int, _ stride: Int, _ mask: LaneBits,
  _ start: InlineArray<half, Lanes>, _ ahead: inout Ahead
) {
  var left = start, right = start
  var weights = firstWeights
  var run = job.runs!
  let end = run + Int(job.run_count)
  while run < end {
    var value = source + Int(run.pointee.offset)
    let lastValue = value + Int(run.pointee.count)
    while value < lastValue {
      let w = load(weights)
      for p in 0..<half { left[p] = fused(Lanes(repeating: value[p &* stride]), w, left[p]) }
      for p in 0..<half { right[p] = fused(Lanes(repeating: value[(p &+ half) &* stride]), w, right[p]) }
      weights += 16
      value += 1
    }
    ahead.ask()
    run += 1
  }
  var target = TileTarget(result, count, 2 &* half, Int(job.result_column))
  for p in 0..<half {
    let last = half &- 1 &- p
    store(masked(right[unchecked: last], mask), target.pointer)
    target.step(from: last &+ half)
  }
  for p in 0..<half {
    let last = half &- 1 &- p
    store(masked(left[unchecked: last], mask), target.pointer)
    target.step(from: last)
  }
}

/// One tile of two vectors.
@inline(__always)
private func wideTile<let pixels: Int>(
  _ job: nr_tap_job, _ source: UnsafePointer<Float>, _ firstWeights: UnsafePointer<Float>,
  _ result: UnsafeMutablePointer<Float>, _ count: Int, _ stride: Int, _ mask: LaneBits,
  _ start: InlineArray<pixels, Lanes>, _ secondStart: InlineArray<pixels, Lanes>, _ ahead: inout Ahead
) {
  var sums = start, secondSums = secondStart
  var weights = firstWeights
  var run = job.runs!
  let end = run + Int(job.run_count)
  while run < end {
    var value = source + Int(run.pointee.offset)
    let lastValue = value + Int(run.pointee.count)
    while value < lastValue {
      let w = load(weights), second = load(weights + 16)
      for p in 0..<pixels {
        let x = Lanes(repeating: value[p &* stride])
        sums[p] = fused(x, w, sums[p])
        secondSums[p] = fused(x, second, secondSums[p])
      }
      weights += 32
      value += 1
    }
    ahead.ask()
    run += 1
  }
  var target = TileTarget(result, count, pixels, Int(job.result_column))
  for p in 0..<pixels {
    let last = pixels &- 1 &- p
    store(sums[unchecked: last], target.pointer)
    store(masked(secondSums[unchecked: last], mask), target.pointer + 16)
    target.step(from: last)
  }
}

/// Where the pixels of a tile go, from the last one down. Pixels past the end of the row go where the last one of the
/// row goes, before it does: a tile always stores all of its pixels, without a branch.
private struct TileTarget {
  var pointer: UnsafeMutablePointer<Float>
  let count: Int, distance: Int

  @inline(__always)
  init(_ result: UnsafeMutablePointer<Float>, _ count: Int, _ pixels: Int, _ distance: Int) {
    self.count = count
    self.distance = distance
    pointer = result + (min(count, pixels) &- 1) &* distance
  }

  /// To the pixel before `pixel`.
  @inline(__always)
  mutating func step(from pixel: Int) {
    pointer -= pixel < count && pixel > 0 ? distance : 0
  }
}

/// All rows, each from left to right in tiles; what is left of a row takes a small tile if that is enough.
@inline(__always)
private func tiles(_ job: nr_tap_job, _ stride: Int) {
  let mask = laneMask(Int(job.last_lanes))
  let bias = load(job.bias!), tiles = Int(job.rows) &* (Int(job.columns) / (2 &* HalfTile.count) &+ 1)
  var ahead = Ahead(job.ahead, calls: tiles &* Int(job.run_count))
  for row in 0..<Int(job.rows) {
    var source = job.source! + row &* Int(job.source_row)
    let weights = job.weights! + row &* Int(job.weight_row)
    var result = job.result! + row &* Int(job.result_row)
    var left = Int(job.columns)
    while left > 0 {
      let pixels: Int
      if left > 2 &* SmallHalfTile.count {
        tile(job, source, weights, result, left, stride, mask, halfTile(bias), &ahead)
        pixels = 2 &* HalfTile.count
      } else {
        tile(job, source, weights, result, left, stride, mask, smallHalfTile(bias), &ahead)
        pixels = 2 &* SmallHalfTile.count
      }
      source += pixels &* stride
      result += pixels &* Int(job.result_column)
      left &-= pixels
    }
  }
}

@inline(__always)
private func wideTiles(_ job: nr_tap_job, _ stride: Int) {
  let mask = laneMask(Int(job.last_lanes))
  let bias = load(job.bias!), secondBias = load(job.bias! + 16)
  let tiles = Int(job.rows) &* (Int(job.columns) / WideTile.count &+ 1)
  var ahead = Ahead(job.ahead, calls: tiles &* Int(job.run_count))
  for row in 0..<Int(job.rows) {
    var source = job.source! + row &* Int(job.source_row)
    let weights = job.weights! + row &* Int(job.weight_row)
    var result = job.result! + row &* Int(job.result_row)
    var left = Int(job.columns)
    while left > 0 {
      let pixels: Int
      if left > SmallWideTile.count {
        wideTile(
          job, source, weights, result, left, stride, mask, wideTile(bias), wideTile(secondBias),
          &ahead)
        pixels = WideTile.count
      } else {
        wideTile(
          job, source, weights, result, left, stride, mask, smallWideTile(bias),
          smallWideTile(secondBias), &ahead)
        pixels = SmallWideTile.count
      }
      source += pixels &* stride
      result += pixels &* Int(job.result_column)
      left &-= pixels
    }
  }
}

@inline(never) private func tiles16(_ job: nr_tap_job) { tiles(job, 16) }
@inline(never) private func tiles32(_ job: nr_tap_job) { tiles(job, 32) }
@inline(never) private func tilesAny(_ job: nr_tap_job) { tiles(job, Int(job.source_column)) }
@inline(never) private func wideTiles16(_ job: nr_tap_job) { wideTiles(job, 16) }
@inline(never) private func wideTiles32(_ job: nr_tap_job) { wideTiles(job, 32) }
@inline(never) private func wideTilesAny(_ job: nr_tap_job) { wideTiles(job, Int(job.source_column)) }

/// Chooses the code whose distance between pixels is a literal, where there is one.
func taps(_ pointer: UnsafePointer<nr_tap_job>) {
  let job = pointer.pointee
  switch (job.vectors, job.source_column) {
  case (1, 16): tiles16(job)
  case (1, 32): tiles32(job)
  case (1, _): tilesAny(job)
  case (_, 16): wideTiles16(job)
  case (_, 32): wideTiles32(job)
  default: wideTilesAny(job)
  }
}
