import CKernels

// Dense weights [ky][kx][input of the group][output] to and from the order in which the convolution kernels read them.

/// Neighbouring summed channels of one group under one tap, and the lanes that are in the group: where they begin, dense
/// and packed.
private struct Block {
  var dense: Int, packed: Int, channels: Int, lanes: Int
}

/// Calls `body` for each tap and block of channels, in packed order. A block has at most 16 channels: where they are
/// neighbours in the dense weights, they are the cache lines that a block's lanes are taken from.
@inline(__always)
private func forEachBlock(_ job: nr_pack_job, _ body: (Block) -> Void) {
  let inputs = Int(job.inputs_per_group), outputs = Int(job.outputs)
  let transposed = job.transposed != 0
  let channelsPerGroup = transposed ? Int(job.outputs_per_group) : inputs
  let lanesPerGroup = transposed ? inputs : Int(job.outputs_per_group)
  let firstLane = Int(job.first_lane), endLane = firstLane &+ Int(job.lanes)
  let endChannel = Int(job.first_channel &+ job.channels)
  var packed = 0
  for i in 0..<Int(job.count_y) {
    for j in 0..<Int(job.count_x) {
      let y = Int(job.first_y) &+ i &* Int(job.step_y), x = Int(job.first_x) &+ j &* Int(job.step_x)
      let tap = (y &* Int(job.kernel_width) &+ x) &* inputs &* outputs
      var channel = Int(job.first_channel)
      while channel < endChannel {
        let group = channel / channelsPerGroup
        let count = min(16, min(endChannel, (group &+ 1) &* channelsPerGroup) &- channel)
        let first = max(firstLane, group &* lanesPerGroup), end = min(endLane, (group &+ 1) &* lanesPerGroup)
        if first < end {
          let row = (transposed ? first : channel) &- group &* inputs
          let dense = tap &+ row &* outputs &+ (transposed ? channel : first)
          body(Block(dense: dense, packed: packed &+ first &- firstLane, channels: count, lanes: end &- first))
        }
        packed &+= count &* Int(job.width)
        channel &+= count
      }
    }
  }
}

/// Copies 8 rows of 16 into 16 rows of 8.
///
/// Taking two vectors in turns moves the uppermost bit of the row's number below those of the column; after all three
/// have moved, a vector holds two columns.
@inline(__always)
private func transpose(
  _ source: UnsafePointer<Float>, _ row: Int, _ target: UnsafeMutablePointer<Float>, _ targetRow: Int
) {
  var rows: InlineArray<8, Lanes> = [
    load(source), load(source + row), load(source + 2 &* row), load(source + 3 &* row), load(source + 4 &* row),
    load(source + 5 &* row), load(source + 6 &* row), load(source + 7 &* row),
  ]
  for _ in 0..<3 {
    let before = rows
    for i in 0..<4 {
      rows[2 &* i] = nr_lower_in_turns(before[i], before[i &+ 4])
      rows[2 &* i &+ 1] = nr_upper_in_turns(before[i], before[i &+ 4])
    }
  }
  for i in 0..<8 {
    let columns = UnsafeMutableRawPointer(target + 2 &* i &* targetRow)
    columns.storeBytes(of: rows[i].lowHalf, as: SIMD8<Float>.self)
    (columns + 4 &* targetRow).storeBytes(of: rows[i].highHalf, as: SIMD8<Float>.self)
  }
}

/// Copies rows of neighbours into columns.
@inline(__always)
private func copyTransposed(
  _ source: UnsafePointer<Float>, _ sourceRow: Int, _ target: UnsafeMutablePointer<Float>, _ targetRow: Int,
  rows: Int, count: Int
) {
  var row = 0
  while row &+ 8 <= rows, count == 16 {
    transpose(source + row &* sourceRow, sourceRow, target + row, targetRow)
    row &+= 8
  }
  while row < rows {
    let from = source + row &* sourceRow, to = target + row
    for i in 0..<count { to[i &* targetRow] = from[i] }
    row &+= 1
  }
}

func pack(_ pointer: UnsafePointer<nr_pack_job>) {
  let job = pointer.pointee, outputs = Int(job.outputs), width = Int(job.width)
  let dense = job.dense!, packed = job.packed!
  // Lanes of other groups, and those past the last channel.
  if job.lanes < job.width || job.outputs_per_group < job.outputs {
    fill(0, packed, job.count_y &* job.count_x &* job.channels &* job.width)
  }
  forEachBlock(job) { block in
    let source = dense + block.dense, target = packed + block.packed
    if job.transposed != 0 {
      copyTransposed(source, outputs, target, width, rows: block.lanes, count: block.channels)
    } else {
      copyChannels(source, job.outputs, target, job.width, Int64(block.channels), Int64(block.lanes), 0)
    }
  }
}

/// Packed to dense, for weights that aren't transposed: those of a gradient never are.
func unpack(_ pointer: UnsafePointer<nr_pack_job>) {
  let job = pointer.pointee
  let dense = UnsafeMutablePointer(mutating: job.dense!), packed = job.packed!
  forEachBlock(job) { block in
    copyChannels(
      packed + block.packed, job.width, dense + block.dense, job.outputs, Int64(block.channels), Int64(block.lanes), 0)
  }
}
