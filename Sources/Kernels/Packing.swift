import CKernels

// Dense weights [ky][kx][input of the group][output] to and from the order in which the convolution kernels read them.

/// Calls `body(dense index, packed index)` for each pair of elements that exists, in packed order.
@inline(__always)
private func forEachWeight(_ job: nr_pack_job, _ body: (_ dense: Int, _ packed: Int) -> Void) {
  let inputsPerGroup = Int(job.inputs_per_group), outputsPerGroup = Int(job.outputs_per_group)
  var packed = 0
  for i in 0..<Int(job.count_y) {
    for j in 0..<Int(job.count_x) {
      let y = Int(job.first_y) &+ i &* Int(job.step_y), x = Int(job.first_x) &+ j &* Int(job.step_x)
      let tap = (y &* Int(job.kernel_width) &+ x) &* inputsPerGroup &* Int(job.outputs)
      for channel in Int(job.first_channel)..<Int(job.first_channel &+ job.channels) {
        for lane in 0..<Int(job.lanes) {
          let other = Int(job.first_lane) &+ lane
          let input = job.transposed != 0 ? other : channel, output = job.transposed != 0 ? channel : other
          let inputInGroup = input &- (output / outputsPerGroup) &* inputsPerGroup
          if inputInGroup >= 0 && inputInGroup < inputsPerGroup {
            body(tap &+ inputInGroup &* Int(job.outputs) &+ output, packed &+ lane)
          }
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
  forEachWeight(job) { packed[$1] = dense[$0] }
}

func unpack(_ pointer: UnsafePointer<nr_pack_job>) {
  let job = pointer.pointee
  let dense = UnsafeMutablePointer(mutating: job.dense!), packed = job.packed!
  forEachWeight(job) { dense[$0] = packed[$1] }
}
