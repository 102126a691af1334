import CKernels

/// Copies a window of an image into scratch in blocks of 16 channels, with zeros where the window leaves the image.
///
/// In the scratch the distance between neighbouring pixels is 16 floats whatever the number of channels, which the
/// convolution kernels have as a literal, and no tap needs a bounds check.
func border(_ pointer: UnsafePointer<nr_border_job>) {
  let job = pointer.pointee
  let columns = Int(job.columns), pixel = Int(job.pixel), left = Int(job.left)
  let firstInside = min(columns, max(0, -left))
  let endInside = max(firstInside, min(columns, Int(job.width) &- left))
  var target = job.scratch!
  for block in 0..<Int(job.blocks) {
    let lane = (Int(job.first_block) &+ block) &* 16
    for row in 0..<Int(job.rows) {
      let y = Int(job.top) &+ row
      if y < 0 || y >= Int(job.height) {
        fill(0, target, Int64(columns &* 16))
      } else {
        let source = job.image! + ((y &* Int(job.width) &+ left) &* pixel &+ lane)
        fill(0, target, Int64(firstInside &* 16))
        for column in firstInside..<endInside { store(load(source + column &* pixel), target + column &* 16) }
        fill(0, target + endInside &* 16, Int64((columns &- endInside) &* 16))
      }
      target += columns &* 16
    }
  }
}
