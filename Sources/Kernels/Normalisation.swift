import CKernels

// Batch normalisation over rows of channels.

/// Mean and sum of squared deviations by blocks of rows that stay in the first-level cache: two passes within a
/// block, then the pairwise update of Chan, Golub and LeVeque ("Algorithms for computing the sample variance", 1983).
func moments(
  _ input: UnsafePointer<Float>, _ rows: Int64, _ pixel: Int64, _ mean: UnsafeMutablePointer<Float>,
  _ squares: UnsafeMutablePointer<Float>
) {
  let rows = Int(rows), pixel = Int(pixel)
  fill(0, mean, Int64(pixel))
  fill(0, squares, Int64(pixel))
  var first = 0
  while first < rows {
    let count = min(rowsPerBlock, rows &- first)
    let inverse = 1 / Float(count)
    let weight = Float(count) / Float(first &+ count)
    var c = 0
    while c < pixel {
      let block = input + (first &* pixel &+ c)
      let blockMean = rowSum(block, count, pixel) * Lanes(repeating: inverse)
      let delta = blockMean - load(mean + c)
      let between = delta * delta * Lanes(repeating: Float(first) * weight)
      store(load(squares + c) + (squaredDeviations(block, count, pixel, blockMean) + between), squares + c)
      store(fused(delta, Lanes(repeating: weight), load(mean + c)), mean + c)
      c &+= 16
    }
    first &+= count
  }
}

@inline(__always)
private func squaredDeviations(_ a: UnsafePointer<Float>, _ rows: Int, _ pixel: Int, _ mean: Lanes) -> Lanes {
  var s0 = Lanes(repeating: 0), s1 = s0, s2 = s0, s3 = s0
  var row = 0
  while row &+ 4 <= rows {
    let p = a + row &* pixel
    let d0 = load(p) - mean, d1 = load(p + pixel) - mean
    let d2 = load(p + 2 &* pixel) - mean, d3 = load(p + 3 &* pixel) - mean
    s0 = fused(d0, d0, s0)
    s1 = fused(d1, d1, s1)
    s2 = fused(d2, d2, s2)
    s3 = fused(d3, d3, s3)
    row &+= 4
  }
  while row < rows {
    let d = load(a + row &* pixel) - mean
    s0 = fused(d, d, s0)
    row &+= 1
  }
  return (s0 + s1) + (s2 + s3)
}

func normalise(_ job: UnsafePointer<nr_normalise_job>) {
  let rows = Int(job.pointee.rows), pixel = Int(job.pointee.pixel)
  let input = job.pointee.input!, output = job.pointee.output!
  let mean = job.pointee.mean!, scale = job.pointee.scale!, shift = job.pointee.shift!
  for row in 0..<rows {
    var c = 0
    while c < pixel {
      let i = row &* pixel &+ c
      store(fused(load(input + i) - load(mean + c), load(scale + c), load(shift + c)), output + i)
      c &+= 16
    }
  }
}

func normaliseSums(_ job: UnsafePointer<nr_normalise_sums_job>) {
  let rows = Int(job.pointee.rows), pixel = Int(job.pointee.pixel)
  let gradientSum = job.pointee.gradient_sum!, productSum = job.pointee.product_sum!
  let input = job.pointee.input!, gradient = job.pointee.gradient!
  let mean = job.pointee.mean!, deviation = job.pointee.deviation!
  fill(0, gradientSum, Int64(pixel))
  fill(0, productSum, Int64(pixel))
  var first = 0
  while first < rows {
    let count = min(rowsPerBlock, rows &- first)
    var c = 0
    while c < pixel {
      let i = first &* pixel &+ c
      let product = productRowSum(input + i, gradient + i, count, pixel, load(mean + c))
      store(load(gradientSum + c) + rowSum(gradient + i, count, pixel), gradientSum + c)
      store(fused(product, load(deviation + c), load(productSum + c)), productSum + c)
      c &+= 16
    }
    first &+= count
  }
}

/// Sum over rows of gradient * (input - mean) for one vector of channels.
@inline(__always)
private func productRowSum(
  _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ rows: Int, _ pixel: Int, _ mean: Lanes
) -> Lanes {
  var s0 = Lanes(repeating: 0), s1 = s0, s2 = s0, s3 = s0
  var row = 0
  while row &+ 4 <= rows {
    let i = row &* pixel
    s0 = fused(load(gradient + i), load(input + i) - mean, s0)
    s1 = fused(load(gradient + (i &+ pixel)), load(input + (i &+ pixel)) - mean, s1)
    s2 = fused(load(gradient + (i &+ 2 &* pixel)), load(input + (i &+ 2 &* pixel)) - mean, s2)
    s3 = fused(load(gradient + (i &+ 3 &* pixel)), load(input + (i &+ 3 &* pixel)) - mean, s3)
    row &+= 4
  }
  while row < rows {
    s0 = fused(load(gradient + row &* pixel), load(input + row &* pixel) - mean, s0)
    row &+= 1
  }
  return (s0 + s1) + (s2 + s3)
}

func normaliseGradient(_ job: UnsafePointer<nr_normalise_gradient_job>) {
  let rows = Int(job.pointee.rows), pixel = Int(job.pointee.pixel)
  let input = job.pointee.input!, gradient = job.pointee.gradient!, output = job.pointee.output!
  let mean = job.pointee.mean!, deviation = job.pointee.deviation!, scale = job.pointee.scale!
  let gradientMean = job.pointee.gradient_mean!, productMean = job.pointee.product_mean!
  for row in 0..<rows {
    var c = 0
    while c < pixel {
      let i = row &* pixel &+ c
      let slope = load(deviation + c) * load(productMean + c)
      let centred = load(gradient + i) - load(gradientMean + c)
      let correction = (load(input + i) - load(mean + c)) * slope
      store((centred - correction) * load(scale + c), output + i)
      c &+= 16
    }
  }
}
