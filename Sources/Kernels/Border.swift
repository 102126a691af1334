import CKernels

/// Copies a window of a source into scratch in blocks of 16 channels, with zeros where the window leaves the image.
///
/// In the scratch the distance between neighbouring pixels is 16 floats whatever the number of channels, which the
/// convolution kernels have as a literal, and no tap needs a bounds check. What comes before the convolution (an
/// activation, the gradient of a normalisation) is computed on the way and never gets to memory.
func border(_ pointer: UnsafePointer<nr_border_job>) {
  let job = pointer.pointee
  switch job.source.kind {
  case NR_SOURCE_PLAIN.rawValue: plainRows(job)
  case NR_SOURCE_CLAMPED.rawValue: clampedRows(job)
  case NR_SOURCE_AFFINE.rawValue: affineRows(job)
  case NR_SOURCE_GRADIENT.rawValue: gradientRows(job)
  default: maskedGradientRows(job)
  }
}

@inline(never)
private func plainRows(_ job: nr_border_job) {
  let image = job.source.image!
  rows(job) { offset, _, result, count, pixel in
    for column in 0..<count { store(load(image + (offset &+ column &* pixel)), result + column &* 16) }
  }
}

@inline(never)
private func clampedRows(_ job: nr_border_job) {
  let image = job.source.image!
  let low = Lanes(repeating: job.source.low), high = Lanes(repeating: job.source.high)
  rows(job) { offset, _, result, count, pixel in
    for column in 0..<count {
      store(clamped(load(image + (offset &+ column &* pixel)), low, high), result + column &* 16)
    }
  }
}

@inline(never)
private func affineRows(_ job: nr_border_job) {
  let source = job.source, image = source.image!
  let low = Lanes(repeating: source.low), high = Lanes(repeating: source.high)
  rows(job) { offset, channel, result, count, pixel in
    let factor = load(source.first! + channel), constant = load(source.constant! + channel)
    for column in 0..<count {
      let value = fused(factor, load(image + (offset &+ column &* pixel)), constant)
      store(clamped(value, low, high), result + column &* 16)
    }
  }
}

@inline(never)
private func gradientRows(_ job: nr_border_job) {
  let source = job.source, image = source.image!, other = source.other!
  rows(job) { offset, channel, result, count, pixel in
    let first = load(source.first! + channel), second = load(source.second! + channel)
    let constant = load(source.constant! + channel)
    for column in 0..<count {
      let i = offset &+ column &* pixel
      store(fused(first, load(image + i), fused(second, load(other + i), constant)), result + column &* 16)
    }
  }
}

@inline(never)
private func maskedGradientRows(_ job: nr_border_job) {
  let source = job.source, image = source.image!, other = source.other!
  let low = Lanes(repeating: source.low), high = Lanes(repeating: source.high)
  rows(job) { offset, channel, result, count, pixel in
    let first = load(source.first! + channel), second = load(source.second! + channel)
    let constant = load(source.constant! + channel)
    let scale = load(source.scale! + channel), shift = load(source.shift! + channel)
    for column in 0..<count {
      let i = offset &+ column &* pixel
      let z = load(other + i)
      let gradient = between(fused(scale, z, shift), low, high, load(image + i))
      store(fused(first, gradient, fused(second, z, constant)), result + column &* 16)
    }
  }
}

/// Calls the body for the part of each row, for each block of channels, that lies inside of the image: its offset from
/// the image, the first channel, where it goes, how many pixels, and how far these are apart in the image.
@inline(__always)
private func rows(
  _ job: nr_border_job, _ body: (Int, Int, UnsafeMutablePointer<Float>, _ count: Int, _ pixel: Int) -> Void
) {
  let columns = Int(job.columns), pixel = Int(job.pixel), left = Int(job.left), blocks = Int(job.blocks)
  let plane = Int(job.rows) &* columns &* 16
  let firstInside = min(columns, max(0, 0 &- left))
  let endInside = max(firstInside, min(columns, Int(job.width) &- left))
  for row in 0..<Int(job.rows) {
    let y = Int(job.top) &+ row
    let isInside = y >= 0 && y < Int(job.height)
    let first = isInside ? firstInside : columns, end = isInside ? endInside : columns
    let offset = (y &* Int(job.width) &+ left &+ first) &* pixel
    for block in 0..<blocks {
      let line = job.scratch! + (block &* plane &+ row &* columns &* 16)
      fill(0, line, Int64(first &* 16))
      body(offset &+ block &* 16, block &* 16, line + first &* 16, end &- first, pixel)
      fill(0, line + end &* 16, Int64((columns &- end) &* 16))
    }
  }
}
