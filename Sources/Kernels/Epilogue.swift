import CKernels

/// What becomes of a convolution's results while they are still in a cache: the gradient of a clamp before them, a sum
/// that they are added to, a clamp after them.
func epilogue(_ pointer: UnsafePointer<nr_epilogue_job>) {
  let job = pointer.pointee
  switch (job.mask != nil, job.addend != nil) {
  case (false, false): clampedResults(job)
  case (false, true): addedResults(job)
  case (true, false): maskedResults(job)
  case (true, true): maskedAddedResults(job)
  }
}

@inline(never) private func clampedResults(_ job: nr_epilogue_job) { results(job, masks: false, adds: false) }
@inline(never) private func addedResults(_ job: nr_epilogue_job) { results(job, masks: false, adds: true) }
@inline(never) private func maskedResults(_ job: nr_epilogue_job) { results(job, masks: true, adds: false) }
@inline(never) private func maskedAddedResults(_ job: nr_epilogue_job) { results(job, masks: true, adds: true) }

@inline(__always)
private func results(_ job: nr_epilogue_job, masks: Bool, adds: Bool) {
  let values = job.values!, result = job.result!, pixel = Int(job.channels)
  let low = Lanes(repeating: job.low), high = Lanes(repeating: job.high)
  let zero = Lanes(repeating: 0), maskHigh = Lanes(repeating: job.mask_high)
  // Neighbouring pixels are one long row of channels.
  let isFlat = Int(job.value_column) == pixel && Int(job.result_column) == pixel
  let columns = isFlat ? 1 : Int(job.columns), count = isFlat ? pixel &* Int(job.columns) : pixel
  for row in 0..<Int(job.rows) {
    for column in 0..<columns {
      let from = row &* Int(job.value_row) &+ column &* Int(job.value_column)
      let to = row &* Int(job.result_row) &+ column &* Int(job.result_column)
      var c = 0
      while c < count {
        var value = load(values + (from &+ c))
        if masks { value = between(load(job.mask! + (to &+ c)), zero, maskHigh, value) }
        if adds { value += load(job.addend! + (to &+ c)) }
        store(clamped(value, low, high), result + (to &+ c))
        c &+= 16
      }
    }
  }
}
