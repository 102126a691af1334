import CKernels

// Dense weights [ky][kx][input of the group][output] to and from the order in which the convolution kernels read them.

/// A summed channel under one tap: `count` lanes that are in its group, `step` floats apart when dense and neighbours
/// when packed.
private struct LaneRun {
  var dense: Int, packed: Int, count: Int, step: Int
}

/// Calls `body` for each tap and summed channel, in packed order.
@inline(__always)
private func forEachLaneRun(_ job: nr_pack_job, _ body: (LaneRun) -> Void) {
  let inputs = Int(job.inputs_per_group), outputs = Int(job.outputs)
  let transposed = job.transposed != 0
  let channelsPerGroup = transposed ? Int(job.outputs_per_group) : inputs
  let lanesPerGroup = transposed ? inputs : Int(job.outputs_per_group)
  let firstLane = Int(job.first_lane), endLane = firstLane &+ Int(job.lanes)
  var packed = 0
  for i in 0..<Int(job.count_y) {
    for j in 0..<Int(job.count_x) {
      let y = Int(job.first_y) &+ i &* Int(job.step_y), x = Int(job.first_x) &+ j &* Int(job.step_x)
      let tap = (y &* Int(job.kernel_width) &+ x) &* inputs &* outputs
      for channel in Int(job.first_channel)..<Int(job.first_channel &+ job.channels) {
        let group = channel / channelsPerGroup
        let first = max(firstLane, group &* lanesPerGroup), end = min(endLane, (group &+ 1) &* lanesPerGroup)
        if first < end {
          let row = (transposed ? first : channel) &- group &* inputs
          let dense = tap &+ row &* outputs &+ (transposed ? channel : first)
          body(
            LaneRun(
              dense: dense, packed: packed &+ first &- firstLane, count: end &- first, step: transposed ? outputs : 1))
        }
        packed &+= Int(job.width)
      }
    }
  }
}

func pack(_ pointer: UnsafePointer<nr_pack_job>) {
  let job = pointer.pointee
  let dense = job.dense!, packed = job.packed!
  fill(0, packed, job.count_y &* job.count_x &* job.channels &* job.width)
  forEachLaneRun(job) { run in
    let source = dense + run.dense, target = packed + run.packed
    var lane = 0
    while run.step == 1 && lane &+ 16 <= run.count {
      store(load(source + lane), target + lane)
      lane &+= 16
    }
    while lane < run.count {
      target[lane] = source[lane &* run.step]
      lane &+= 1
    }
  }
}

func unpack(_ pointer: UnsafePointer<nr_pack_job>) {
  let job = pointer.pointee
  let dense = UnsafeMutablePointer(mutating: job.dense!), packed = job.packed!
  forEachLaneRun(job) { run in
    let source = packed + run.packed, target = dense + run.dense
    var lane = 0
    while run.step == 1 && lane &+ 16 <= run.count {
      store(load(source + lane), target + lane)
      lane &+= 16
    }
    while lane < run.count {
      target[lane &* run.step] = source[lane]
      lane &+= 1
    }
  }
}
