import CKernels

/// Copies a window of an image into scratch in blocks of 16 channels, with zeros where the window leaves the image.
///
/// In the scratch the distance between neighbouring pixels is 16 floats whatever the number of channels, which the
/// convolution kernels have as a literal, and no tap needs a bounds check.
/// The image is read in its own order, so that memory is read as a stream.
func border(_ pointer: UnsafePointer<nr_border_job>) {
  let job = pointer.pointee
  let columns = Int(job.columns), pixel = Int(job.pixel), left = Int(job.left), blocks = Int(job.blocks)
  let plane = Int(job.rows) &* columns &* 16
  let firstInside = min(columns, max(0, 0 &- left))
  let endInside = max(firstInside, min(columns, Int(job.width) &- left))
  for row in 0..<Int(job.rows) {
    let target = job.scratch! + row &* columns &* 16
    let y = Int(job.top) &+ row
    let isInside = y >= 0 && y < Int(job.height)
    for block in 0..<blocks {
      let line = target + block &* plane
      if isInside {
        fill(0, line, Int64(firstInside &* 16))
        fill(0, line + endInside &* 16, Int64((columns &- endInside) &* 16))
      } else {
        fill(0, line, Int64(columns &* 16))
      }
    }
    if isInside {
      let source = job.image! + ((y &* Int(job.width) &+ left) &* pixel &+ Int(job.first_block) &* 16)
      for column in firstInside..<endInside {
        let value = source + column &* pixel, result = target + column &* 16
        for block in 0..<blocks { store(load(value + block &* 16), result + block &* plane) }
      }
    }
  }
}
