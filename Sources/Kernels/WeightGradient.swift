import CKernels

// The weight gradient of a convolution: a tile of summed channels times one or two vectors of result channels stays in
// registers while the kernel goes through the pixels. Per weight, the sum goes on from what `result` holds, pixel by
// pixel in row order.

/// Pixels between two times that a tile asks for memory ahead.
private let columnsPerAsk = 16

/// One tile of one vector: `count` channels from `source` on, over all pixels.
@inline(__always)
private func tile<let channels: Int>(
  _ job: nr_weight_gradient_job, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
  _ stride: Int, _ zeros: InlineArray<channels, Lanes>, _ ahead: inout Ahead
) {
  var sums = zeros
  for c in 0..<channels where c < count { sums[c] = load(result + c &* 16) }
  let step = Int(job.gradient_column)
  for row in 0..<Int(job.rows) {
    var values = source + row &* Int(job.source_row)
    var gradient = job.gradient! + row &* Int(job.gradient_row)
    var left = Int(job.columns)
    while left > 0 {
      for _ in 0..<min(left, columnsPerAsk) {
        let g = load(gradient)
        for c in 0..<channels { sums[c] = fused(Lanes(repeating: values[c]), g, sums[c]) }
        values += stride
        gradient += step
      }
      ahead.ask()
      left &-= columnsPerAsk
    }
  }
  for c in 0..<channels where c < count { store(sums[c], result + c &* 16) }
}

/// One tile of two vectors.
@inline(__always)
private func wideTile<let channels: Int>(
  _ job: nr_weight_gradient_job, _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
  _ stride: Int, _ zeros: InlineArray<channels, Lanes>, _ ahead: inout Ahead
) {
  var sums = zeros, secondSums = zeros
  for c in 0..<channels where c < count {
    sums[c] = load(result + c &* 32)
    secondSums[c] = load(result + (c &* 32 &+ 16))
  }
  let step = Int(job.gradient_column), toSecond = Int(job.gradient_vector)
  for row in 0..<Int(job.rows) {
    var values = source + row &* Int(job.source_row)
    var gradient = job.gradient! + row &* Int(job.gradient_row)
    var left = Int(job.columns)
    while left > 0 {
      for _ in 0..<min(left, columnsPerAsk) {
        let g = load(gradient), second = load(gradient + toSecond)
        for c in 0..<channels {
          let x = Lanes(repeating: values[c])
          sums[c] = fused(x, g, sums[c])
          secondSums[c] = fused(x, second, secondSums[c])
        }
        values += stride
        gradient += step
      }
      ahead.ask()
      left &-= columnsPerAsk
    }
  }
  for c in 0..<channels where c < count {
    store(sums[c], result + c &* 32)
    store(secondSums[c], result + (c &* 32 &+ 16))
  }
}

/// One tile of one vector for some runs of up to three channels each, over all pixels: the colours of an image under a
/// few taps, which are too few by themselves to keep the arithmetic busy.
@inline(__always)
private func runTile<let runs: Int>(
  _ job: nr_weight_gradient_job, _ offsets: InlineArray<runs, Int>, _ result: UnsafeMutablePointer<Float>,
  _ count: Int, _ stride: Int, _ zeros: InlineArray<runs, Lanes>, _ ahead: inout Ahead
) {
  var sums = zeros, secondSums = zeros, thirdSums = zeros
  for r in 0..<runs {
    let before = result + r &* count &* 16
    sums[r] = load(before)
    if count > 1 { secondSums[r] = load(before + 16) }
    if count > 2 { thirdSums[r] = load(before + 32) }
  }
  let step = Int(job.gradient_column)
  for row in 0..<Int(job.rows) {
    var values = job.source! + row &* Int(job.source_row)
    var gradient = job.gradient! + row &* Int(job.gradient_row)
    var left = Int(job.columns)
    while left > 0 {
      for _ in 0..<min(left, columnsPerAsk) {
        let g = load(gradient)
        for r in 0..<runs {
          let x = values + offsets[r]
          sums[r] = fused(Lanes(repeating: x[0]), g, sums[r])
          secondSums[r] = fused(Lanes(repeating: x[1]), g, secondSums[r])
          thirdSums[r] = fused(Lanes(repeating: x[2]), g, thirdSums[r])
        }
        values += stride
        gradient += step
      }
      ahead.ask()
      left &-= columnsPerAsk
    }
  }
  for r in 0..<runs {
    let after = result + r &* count &* 16
    store(sums[r], after)
    if count > 1 { store(secondSums[r], after + 16) }
    if count > 2 { store(thirdSums[r], after + 32) }
  }
}

/// Whether the next runs make a tile together.
@inline(__always)
private func areShort(_ runs: UnsafePointer<nr_run>, _ left: Int) -> Bool {
  guard left >= RunTile.count, runs[0].count <= 3 else { return false }
  for r in 1..<RunTile.count where runs[r].count != runs[0].count { return false }
  return true
}

/// All channels of all runs. A tile may read channels past the end of its run (they are in the same pixel's vector or
/// the next pixel's) but stores only those of the run.
@inline(__always)
private func runs(_ job: nr_weight_gradient_job, _ stride: Int, wide: Bool, _ ahead: inout Ahead) {
  let zero = Lanes(repeating: 0)
  var result = job.result!
  var index = 0
  while index < Int(job.run_count) {
    let run = job.runs![index]
    let source = job.source! + Int(run.offset)
    let count = Int(run.count)
    if !wide, areShort(job.runs! + index, Int(job.run_count) &- index) {
      runTile(job, runOffsets(job.runs! + index), result, count, stride, runTile(zero), &ahead)
      result += RunTile.count &* count &* 16
      index &+= RunTile.count
      continue
    }
    index &+= 1
    var c = 0
    while c < count {
      let left = count &- c
      if wide {
        if left > SmallWideTile.count {
          wideTile(job, source + c, result, left, stride, wideTile(zero), &ahead)
          c &+= WideTile.count
          result += min(left, WideTile.count) &* 32
        } else {
          wideTile(job, source + c, result, left, stride, smallWideTile(zero), &ahead)
          c &+= SmallWideTile.count
          result += min(left, SmallWideTile.count) &* 32
        }
      } else if left > SmallChannelTile.count {
        tile(job, source + c, result, left, stride, channelTile(zero), &ahead)
        c &+= ChannelTile.count
        result += min(left, ChannelTile.count) &* 16
      } else {
        tile(job, source + c, result, left, stride, smallChannelTile(zero), &ahead)
        c &+= SmallChannelTile.count
        result += min(left, SmallChannelTile.count) &* 16
      }
    }
  }
}

/// All members of the batch.
@inline(__always)
private func members(_ first: nr_weight_gradient_job, wide: Bool) {
  var job = first
  let asks = Int(job.rows) &* ((Int(job.columns) &+ columnsPerAsk &- 1) / columnsPerAsk)
  var ahead = Ahead(job.ahead, calls: Int(job.members) &* Int(job.run_count) &* asks)
  for _ in 0..<Int(job.members) {
    runs(job, Int(job.source_column), wide: wide, &ahead)
    job.source += Int(job.source_member)
    job.gradient += Int(job.gradient_member)
    job.result += Int(job.result_member)
  }
}

@inline(never) private func narrowMembers(_ job: nr_weight_gradient_job) { members(job, wide: false) }
@inline(never) private func wideMembers(_ job: nr_weight_gradient_job) { members(job, wide: true) }

func weightGradient(_ pointer: UnsafePointer<nr_weight_gradient_job>) {
  let job = pointer.pointee
  if job.vectors == 1 { narrowMembers(job) } else { wideMembers(job) }
}
