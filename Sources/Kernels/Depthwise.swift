import CKernels

// Depthwise convolution of one vector of channels: each lane has its own weights. The source is read where it lies, so
// that there is no bordered copy of it: rows of taps outside of it are left out, columns count as zeros.
//
// Per result the sum starts at the bias and goes through the taps row by row, one fused multiply-add each: the size of
// the tile doesn't change a bit.

/// Some results of one row, and what they read.
private struct DepthwiseSpan {
  /// Rows of taps inside of the source, and the weights of the first of these.
  var tapRows: Int, weights: UnsafePointer<Float>
  /// What the first tap of the first result reads, and from there to the next result and the next row of taps.
  var source: UnsafePointer<Float>, pixel: Int, line: Int
  /// The column of the first result's first tap, and how many columns the source has.
  var column: Int, width: Int
  /// The results, how many are left in the row, and from one to the next.
  var result: UnsafeMutablePointer<Float>, left: Int, distance: Int

  @inline(__always)
  init(_ job: nr_depthwise_job, row: Int) {
    let top = Int(job.top) &+ row &* Int(job.row_step), step = Int(job.tap_row_step), height = Int(job.height)
    var first = 0, end = Int(job.tap_rows)
    while first < end, !isWithin(top &+ first &* step, height) { first &+= 1 }
    while first < end, !isWithin(top &+ (end &- 1) &* step, height) { end &-= 1 }
    tapRows = end &- first
    weights = job.weights! + first &* Int(job.tap_columns) &* 16
    (column, width) = (Int(job.left), Int(job.width))
    source = job.source! + ((top &+ first &* step) &* Int(job.source_row) &+ column &* Int(job.source_column))
    pixel = Int(job.source_column) &* Int(job.column_step)
    line = step &* Int(job.source_row)
    (left, distance) = (Int(job.columns), Int(job.result_column))
    result = job.result! + row &* Int(job.result_row)
  }

  @inline(__always)
  mutating func skip(_ pixels: Int, columns: Int) {
    column &+= columns
    source += pixels &* pixel
    result += pixels &* distance
    left &-= pixels
  }
}

/// Writes as many results of a tile as are left.
@inline(__always)
private func write<let pixels: Int>(_ sums: InlineArray<pixels, Lanes>, _ span: DepthwiseSpan, _ bounds: ClampBounds) {
  var finished = sums, target = span.result
  for p in 0..<pixels { finished[p] = clamped(sums[p], bounds.low, bounds.high) }
  if span.left >= pixels {
    for p in 0..<pixels {
      store(finished[p], target)
      target += span.distance
    }
  } else {
    for p in 0..<pixels where p < span.left {
      store(finished[p], target)
      target += span.distance
    }
  }
}

@inline(__always)
private func isWithin(_ position: Int, _ extent: Int) -> Bool {
  UInt(bitPattern: position) < UInt(bitPattern: extent)
}

/// A tile of neighbouring results whose taps are neighbours too: each source column is loaded once for a row of taps.
/// There are `extra` + 1 taps in a row, 3 or 5.
@inline(__always)
private func neighbourTile<let pixels: Int, let extra: Int>(
  _ span: DepthwiseSpan, _ bounds: ClampBounds, _ start: InlineArray<pixels, Lanes>,
  _ zeros: InlineArray<pixels, Lanes>, _ none: InlineArray<extra, Lanes>
) {
  let pixel = span.pixel, width = span.width, first = span.column
  let isInside = first >= 0 && first &+ pixels &+ extra <= width
  var sums = start
  var weights = span.weights, source = span.source
  for _ in 0..<span.tapRows {
    var values = zeros, more = none
    var value = source
    if isInside {
      for p in 0..<pixels {
        values[p] = load(value)
        value += pixel
      }
      for p in 0..<extra {
        more[p] = load(value)
        value += pixel
      }
    } else {
      for p in 0..<pixels {
        if isWithin(first &+ p, width) { values[p] = load(value) }
        value += pixel
      }
      for p in 0..<extra {
        if isWithin(first &+ pixels &+ p, width) { more[p] = load(value) }
        value += pixel
      }
    }
    add(0, load(weights), values, more, to: &sums)
    add(1, load(weights + 16), values, more, to: &sums)
    add(2, load(weights + 32), values, more, to: &sums)
    if extra > 2 {
      add(3, load(weights + 48), values, more, to: &sums)
      add(4, load(weights + 64), values, more, to: &sums)
    }
    weights += (extra &+ 1) &* 16
    source += span.line
  }
  write(sums, span, bounds)
}

/// Adds the products of the tap that reads `offset` columns from the first.
@inline(__always)
private func add<let pixels: Int, let extra: Int>(
  _ offset: Int, _ w: Lanes, _ values: InlineArray<pixels, Lanes>, _ more: InlineArray<extra, Lanes>,
  to sums: inout InlineArray<pixels, Lanes>
) {
  for p in 0..<pixels {
    let column = p &+ offset
    sums[p] = fused(column < pixels ? values[column] : more[column &- pixels], w, sums[p])
  }
}

/// A tile of any window.
@inline(__always)
private func tile<let pixels: Int>(
  _ job: nr_depthwise_job, _ span: DepthwiseSpan, _ bounds: ClampBounds, _ start: InlineArray<pixels, Lanes>
) {
  let step = Int(job.column_step), tapStep = Int(job.tap_column_step), width = span.width
  var sums = start
  var weights = span.weights, source = span.source
  for _ in 0..<span.tapRows {
    var column = span.column, tap = source
    for _ in 0..<Int(job.tap_columns) {
      let w = load(weights)
      var value = tap
      if column >= 0 && column &+ (pixels &- 1) &* step < width {
        for p in 0..<pixels {
          sums[p] = fused(load(value), w, sums[p])
          value += span.pixel
        }
      } else {
        for p in 0..<pixels {
          if isWithin(column &+ p &* step, width) { sums[p] = fused(load(value), w, sums[p]) }
          value += span.pixel
        }
      }
      weights += 16
      column &+= tapStep
      tap += tapStep &* Int(job.source_column)
    }
    source += span.line
  }
  write(sums, span, bounds)
}

/// All rows, each from left to right in tiles, wide ones as long as more is left than a narrow one has.
@inline(__always)
private func neighbourTiles<let extra: Int>(
  _ job: nr_depthwise_job, _ bounds: ClampBounds, _ none: InlineArray<extra, Lanes>
) {
  let bias = load(job.bias!), zero = Lanes(repeating: 0)
  var ahead = Ahead(job.ahead, calls: Int(job.rows))
  for row in 0..<Int(job.rows) {
    var span = DepthwiseSpan(job, row: row)
    while span.left > SmallDepthwiseTile.count {
      neighbourTile(span, bounds, depthwiseTile(bias), depthwiseTile(zero), none)
      span.skip(DepthwiseTile.count, columns: DepthwiseTile.count)
    }
    if span.left > 0 {
      neighbourTile(span, bounds, smallDepthwiseTile(bias), smallDepthwiseTile(zero), none)
    }
    ahead.ask()
  }
}

@inline(__always) private var two: InlineArray<2, Lanes> { [Lanes(repeating: 0), Lanes(repeating: 0)] }
@inline(__always) private var four: InlineArray<4, Lanes> {
  [Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0), Lanes(repeating: 0)]
}

@inline(never) private func threeTaps(_ job: nr_depthwise_job, _ bounds: ClampBounds) {
  neighbourTiles(job, bounds, two)
}
@inline(never) private func fiveTaps(_ job: nr_depthwise_job, _ bounds: ClampBounds) {
  neighbourTiles(job, bounds, four)
}
@inline(never) private func anyTaps(_ job: nr_depthwise_job, _ bounds: ClampBounds) {
  let bias = load(job.bias!)
  var ahead = Ahead(job.ahead, calls: Int(job.rows))
  for row in 0..<Int(job.rows) {
    var span = DepthwiseSpan(job, row: row)
    while span.left > SmallDepthwiseTile.count {
      tile(job, span, bounds, depthwiseTile(bias))
      span.skip(DepthwiseTile.count, columns: DepthwiseTile.count &* Int(job.column_step))
    }
    if span.left > 0 { tile(job, span, bounds, smallDepthwiseTile(bias)) }
    ahead.ask()
  }
}

/// Chooses the code whose taps are literals, where there is one.
func depthwise(_ pointer: UnsafePointer<nr_depthwise_job>) {
  let job = pointer.pointee, bounds = ClampBounds(job.low, job.high, lanes: Int(job.lanes))
  switch (job.column_step, job.tap_column_step, job.tap_columns) {
  case (1, 1, 3): threeTaps(job, bounds)
  case (1, 1, 5): fiveTaps(job, bounds)
  default: anyTaps(job, bounds)
  }
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
