import CKernels

// Depthwise convolution of one vector of channels: each lane has its own weights.

/// One tile: two halves, left and right, because the optimiser keeps arrays of up to 8 vectors in registers.
@inline(__always)
private func tile<let half: Int>(
  _ job: nr_depthwise_job, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
  _ stride: Int, _ mask: LaneBits, _ start: InlineArray<half, Lanes>
) {
  var left = start, right = start
  for tap in 0..<Int(job.tap_count) {
    let w = load(job.weights! + tap &* 16)
    let values = source + Int(job.taps![tap])
    for p in 0..<half { left[p] = fused(load(values + p &* stride), w, left[p]) }
    for p in 0..<half { right[p] = fused(load(values + (p &+ half) &* stride), w, right[p]) }
  }
  let step = Int(job.result_column)
  for p in 0..<half where p < count { store(masked(left[p], mask), result + p &* step) }
  for p in 0..<half where p &+ half < count { store(masked(right[p], mask), result + (p &+ half) &* step) }
}

/// All rows, each from left to right in tiles; what is left of a row takes a smaller tile if that is enough.
@inline(__always)
private func tiles<let half: Int>(_ job: nr_depthwise_job, _ stride: Int, _ start: InlineArray<half, Lanes>) {
  let mask = laneMask(Int(job.lanes)), bias = load(job.bias!)
  var ahead = Ahead(job.ahead, calls: Int(job.rows) &* (Int(job.columns) / (2 &* half) &+ 1))
  for row in 0..<Int(job.rows) {
    var source = job.source! + row &* Int(job.source_row)
    var result = job.result! + row &* Int(job.result_row)
    var left = Int(job.columns)
    while left > 0 {
      let pixels: Int
      if left > 2 &* DepthwiseHalf.count {
        tile(job, source, result, left, stride, mask, start)
        pixels = 2 &* half
      } else if left > 2 &* SmallDepthwiseHalf.count {
        tile(job, source, result, left, stride, mask, depthwiseHalf(bias))
        pixels = 2 &* DepthwiseHalf.count
      } else {
        tile(job, source, result, left, stride, mask, smallDepthwiseHalf(bias))
        pixels = 2 &* SmallDepthwiseHalf.count
      }
      source += pixels &* stride
      result += pixels &* Int(job.result_column)
      left &-= pixels
      ahead.ask()
    }
  }
}

@inline(never) private func tiles16(_ job: nr_depthwise_job) { tiles(job, 16, largeDepthwiseHalf(load(job.bias!))) }
@inline(never) private func sevens16(_ job: nr_depthwise_job) { tiles(job, 16, depthwiseSeven(load(job.bias!))) }
@inline(never) private func tilesAny(_ job: nr_depthwise_job) {
  tiles(job, Int(job.source_column), largeDepthwiseHalf(load(job.bias!)))
}

/// Rows of many sizes of images are multiples of 14 and of 7, where tiles of 16 would compute more than there is.
func depthwise(_ pointer: UnsafePointer<nr_depthwise_job>) {
  let job = pointer.pointee
  if job.source_column != 16 { return tilesAny(job) }
  if job.columns % 14 == 0 { sevens16(job) } else { tiles16(job) }
}

/// One, two or three rows of `columns` neighbouring taps, over all pixels.
@inline(__always)
private func gradientTile<let columns: Int>(
  _ job: nr_depthwise_gradient_job, _ taps: UnsafePointer<Int32>, _ result: UnsafeMutablePointer<Float>, rows: Int,
  _ zeros: InlineArray<columns, Lanes>, _ ahead: inout Ahead
) {
  var first = zeros, second = zeros, third = zeros
  let secondRow = rows > 1 ? Int(taps[columns]) : 0, thirdRow = rows > 2 ? Int(taps[2 &* columns]) : 0
  for t in 0..<columns {
    first[t] = load(result + t &* 16)
    if rows > 1 { second[t] = load(result + (columns &+ t) &* 16) }
    if rows > 2 { third[t] = load(result + (2 &* columns &+ t) &* 16) }
  }
  for row in 0..<Int(job.rows) {
    var values = job.source! + (row &* Int(job.source_row) &+ Int(taps[0]))
    var gradient = job.gradient! + row &* Int(job.gradient_row)
    let toSecond = secondRow &- Int(taps[0]), toThird = thirdRow &- Int(taps[0])
    for _ in 0..<Int(job.columns) {
      let g = load(gradient)
      for t in 0..<columns { first[t] = fused(load(values + t &* 16), g, first[t]) }
      if rows > 1 {
        for t in 0..<columns { second[t] = fused(load(values + (toSecond &+ t &* 16)), g, second[t]) }
      }
      if rows > 2 {
        for t in 0..<columns { third[t] = fused(load(values + (toThird &+ t &* 16)), g, third[t]) }
      }
      values += Int(job.source_column)
      gradient += Int(job.gradient_column)
    }
    ahead.ask()
  }
  for t in 0..<columns {
    store(first[t], result + t &* 16)
    if rows > 1 { store(second[t], result + (columns &+ t) &* 16) }
    if rows > 2 { store(third[t], result + (2 &* columns &+ t) &* 16) }
  }
}

@inline(__always)
private func gradientRows<let columns: Int>(_ job: nr_depthwise_gradient_job, _ zeros: InlineArray<columns, Lanes>) {
  let rows = Int(job.tap_count) / columns
  var ahead = Ahead(job.ahead, calls: Int(job.rows)), row = 0
  while row < rows {
    let taps = job.taps! + row &* columns, result = job.result! + row &* columns &* 16
    if tapRowsPerTile >= 3 && row &+ 3 <= rows {
      gradientTile(job, taps, result, rows: 3, zeros, &ahead)
      row &+= 3
    } else if tapRowsPerTile >= 2 && row &+ 2 <= rows {
      gradientTile(job, taps, result, rows: 2, zeros, &ahead)
      row &+= 2
    } else {
      gradientTile(job, taps, result, rows: 1, zeros, &ahead)
      row &+= 1
    }
  }
}

/// Rows of 3 or 5 neighbouring taps together; other windows tap by tap.
func depthwiseGradient(_ pointer: UnsafePointer<nr_depthwise_gradient_job>) {
  let job = pointer.pointee
  let zero = Lanes(repeating: 0)
  switch job.neighbours {
  case 3: gradientRows(job, [zero, zero, zero] as InlineArray<3, Lanes>)
  case 5: gradientRows(job, [zero, zero, zero, zero, zero] as InlineArray<5, Lanes>)
  default: gradientRows(job, [zero] as InlineArray<1, Lanes>)
  }
}
