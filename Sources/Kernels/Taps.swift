import CKernels

// The convolution kernel: a tile of pixels times one or two vectors of result channels stays in registers while the
// kernel goes through a list of runs (a run is up to 16 channels of one tap). Convolution, its input gradient, strided
// and pointwise convolution and matrix products differ only in the list and the strides.
//
// Per result, the sum starts at the bias and goes through the runs in order, one fused multiply-add each: the size of
// the tile doesn't change a bit.

/// One tile of one vector.
@inline(__always)
private func tile<let pixels: Int>(
  _ job: nr_tap_job, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
  _ stride: Int, _ mask: LaneBits, _ start: InlineArray<pixels, Lanes>
) {
  var sums = start
  var weights = job.weights!
  let runs = job.runs!
  for index in 0..<Int(job.run_count) {
    let run = runs[index]
    let values = source + Int(run.offset)
    for c in 0..<Int(run.count) {
      let w = load(weights)
      for p in 0..<pixels { sums[p] = fused(Lanes(repeating: values[p &* stride &+ c]), w, sums[p]) }
      weights += 16
    }
  }
  let step = Int(job.result_column)
  for p in 0..<pixels where p < count { store(masked(sums[p], mask), result + p &* step) }
}

/// One tile of two vectors.
@inline(__always)
private func wideTile<let pixels: Int>(
  _ job: nr_tap_job, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
  _ stride: Int, _ mask: LaneBits, _ start: InlineArray<pixels, Lanes>, _ secondStart: InlineArray<pixels, Lanes>
) {
  var sums = start, secondSums = secondStart
  var weights = job.weights!
  let runs = job.runs!
  for index in 0..<Int(job.run_count) {
    let run = runs[index]
    let values = source + Int(run.offset)
    for c in 0..<Int(run.count) {
      let w = load(weights), second = load(weights + 16)
      for p in 0..<pixels {
        let x = Lanes(repeating: values[p &* stride &+ c])
        sums[p] = fused(x, w, sums[p])
        secondSums[p] = fused(x, second, secondSums[p])
      }
      weights += 32
    }
  }
  let step = Int(job.result_column)
  for p in 0..<pixels where p < count {
    store(sums[p], result + p &* step)
    store(masked(secondSums[p], mask), result + (p &* step &+ 16))
  }
}

/// All rows, each from left to right in tiles; what is left of a row takes a small tile if that is enough.
@inline(__always)
private func tiles(_ job: nr_tap_job, _ stride: Int) {
  let mask = laneMask(Int(job.last_lanes))
  let bias = load(job.bias!)
  for row in 0..<Int(job.rows) {
    var source = job.source! + row &* Int(job.source_row)
    var result = job.result! + row &* Int(job.result_row)
    var left = Int(job.columns)
    while left > 0 {
      let pixels: Int
      if left > SmallTile.count {
        tile(job, source, result, left, stride, mask, Tile(repeating: bias))
        pixels = Tile.count
      } else {
        tile(job, source, result, left, stride, mask, SmallTile(repeating: bias))
        pixels = SmallTile.count
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
  let bias = load(job.bias!), second = load(job.bias! + 16)
  for row in 0..<Int(job.rows) {
    var source = job.source! + row &* Int(job.source_row)
    var result = job.result! + row &* Int(job.result_row)
    var left = Int(job.columns)
    while left > 0 {
      let pixels: Int
      if left > SmallWideTile.count {
        wideTile(
          job, source, result, left, stride, mask, WideTile(repeating: bias), WideTile(repeating: second))
        pixels = WideTile.count
      } else {
        wideTile(
          job, source, result, left, stride, mask, SmallWideTile(repeating: bias), SmallWideTile(repeating: second))
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
