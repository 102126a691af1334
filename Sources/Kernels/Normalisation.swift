import CKernels

// Batch normalisation over rows of channels.

/// Mean and sum of squared deviations by blocks of rows that stay in the first-level cache: two passes within a
/// block, then the pairwise update of Chan, Golub and LeVeque ("Algorithms for computing the sample variance", 1983).
func moments(
  _ input: UnsafePointer<Float>, _ rows: Int64, _ row: Int64, _ channels: Int64,
  _ mean: UnsafeMutablePointer<Float>, _ squares: UnsafeMutablePointer<Float>
) {
  let rows = Int(rows), pixel = Int(row), channels = Int(channels)
  fill(0, mean, Int64(channels))
  fill(0, squares, Int64(channels))
  var first = 0
  while first < rows {
    let count = min(rowsPerBlock, rows &- first)
    let inverse = 1 / Float(count)
    let weight = Float(count) / Float(first &+ count)
    var c = 0
    while c < channels {
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

/// A sum of images, each normalised if wanted, in one pass.
func normalisedSum(_ pointer: UnsafePointer<nr_sum_job>) {
  let job = pointer.pointee
  let isClamped = job.low > -Float.infinity || job.high < Float.infinity
  if isClamped { sumOfTerms(job) { clampedTotal($0, job.low, job.high) } } else { sumOfTerms(job) { $0 } }
}

@inline(__always)
private func clampedTotal(_ total: Lanes, _ low: Float, _ high: Float) -> Lanes {
  let low = Lanes(repeating: low), high = Lanes(repeating: high)
  let raised = total.replacing(with: low, where: total .< low)
  return raised.replacing(with: high, where: raised .> high)
}

/// Four rows at a time, so that a term's vectors are loaded once for them.
@inline(__always)
private func sumOfTerms(_ job: nr_sum_job, _ finish: (Lanes) -> Lanes) {
  let pixel = Int(job.pixel), rows = Int(job.rows), first = Int(job.first)
  let terms = job.terms!, count = Int(job.term_count)
  var row = 0
  while row < rows {
    let isWhole = row &+ 4 <= rows
    // What is left of the rows is computed from the last one more than once, and stored once.
    let step = isWhole ? pixel : 0
    var c = 0
    while c < pixel {
      let i = first &+ row &* pixel &+ c
      let factor = Lanes(repeating: terms.pointee.factor)
      var sums = InlineArray<4, Lanes> { term(terms, i &+ $0 &* step, c) * factor }
      for k in 1..<max(1, count) {
        // With a factor of 1 this is the sum, bit for bit.
        let factor = Lanes(repeating: terms[k].factor)
        for lane in 0..<4 { sums[lane] = fused(factor, term(terms + k, i &+ lane &* step, c), sums[lane]) }
      }
      for lane in 0..<(isWhole ? 4 : 1) { store(finish(sums[lane]), job.result! + (i &+ lane &* step)) }
      c &+= 16
    }
    row &+= isWhole ? 4 : 1
  }
}

@inline(__always)
private func term(_ term: UnsafePointer<nr_term>, _ i: Int, _ c: Int) -> Lanes {
  let x = load(term.pointee.image! + i)
  guard let scale = term.pointee.scale else { return x }
  return fused(x, load(scale + c), load(term.pointee.shift! + c))
}

/// Sums of products by blocks of rows, which stay in the first-level cache for all terms.
func normalisedDots(_ pointer: UnsafePointer<nr_dots_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel), rows = Int(job.rows), terms = job.terms!
  var row = 0
  while row < rows {
    let count = min(rowsPerBlock, rows &- row), start = Int(job.first) &+ row &* pixel
    for k in 0..<Int(job.term_count) {
      var c = 0
      while c < pixel {
        job.sums![k] += Double(laneSum(products(job.gradient!, terms + k, start &+ c, count, pixel, c)))
        c &+= 16
      }
    }
    row &+= count
  }
}

@inline(__always)
private func products(
  _ gradient: UnsafePointer<Float>, _ factor: UnsafePointer<nr_term>, _ start: Int, _ rows: Int, _ pixel: Int, _ c: Int
) -> Lanes {
  var sums = InlineArray<4, Lanes>(repeating: Lanes(repeating: 0))
  var row = 0
  while row &+ 4 <= rows {
    for lane in 0..<4 {
      let i = start &+ (row &+ lane) &* pixel
      sums[lane] = fused(load(gradient + i), term(factor, i, c), sums[lane])
    }
    row &+= 4
  }
  while row < rows {
    let i = start &+ row &* pixel
    sums[0] = fused(load(gradient + i), term(factor, i, c), sums[0])
    row &+= 1
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3])
}

func normaliseSums(_ pointer: UnsafePointer<nr_normalise_sums_job>) {
  let job = pointer.pointee
  guard let scale = job.scale, let shift = job.shift else {
    return gradientSums(job) { gradient, _, _ in gradient }
  }
  gradientSums(job) { gradient, x, c in
    let y = fused(load(scale + c), x, load(shift + c))
    let inside = (y .> Lanes(repeating: job.low)) .& (y .< Lanes(repeating: job.high))
    return Lanes(repeating: 0).replacing(with: gradient, where: inside)
  }
}

/// The sums over blocks of rows that stay in the first-level cache, each added to the totals.
@inline(__always)
private func gradientSums(_ job: nr_normalise_sums_job, _ masked: (_ gradient: Lanes, _ x: Lanes, _ c: Int) -> Lanes) {
  let rows = Int(job.rows), channels = Int(job.channels)
  let gradientSum = job.gradient_sum!, productSum = job.product_sum!
  fill(0, gradientSum, job.channels)
  fill(0, productSum, job.channels)
  var first = 0
  while first < rows {
    let count = min(rowsPerBlock, rows &- first)
    var c = 0
    while c < channels {
      let (sum, product) = blockSums(job, first, count, c, masked)
      store(load(gradientSum + c) + sum, gradientSum + c)
      store(fused(product, load(job.deviation! + c), load(productSum + c)), productSum + c)
      c &+= 16
    }
    first &+= count
  }
}

/// Sums over rows of the gradient and of gradient * (input - mean), for one vector of channels.
@inline(__always)
private func blockSums(
  _ job: nr_normalise_sums_job, _ first: Int, _ rows: Int, _ c: Int,
  _ masked: (_ gradient: Lanes, _ x: Lanes, _ c: Int) -> Lanes
) -> (sum: Lanes, product: Lanes) {
  let distance = Int(job.row), mean = load(job.mean! + c)
  let input = job.input! + (first &* distance &+ c), gradient = job.gradient! + (first &* distance &+ c)
  var sums = InlineArray<4, Lanes>(repeating: Lanes(repeating: 0)), products = sums
  var row = 0
  while row &+ 4 <= rows {
    for lane in 0..<4 {
      let i = (row &+ lane) &* distance, x = load(input + i)
      let g = masked(load(gradient + i), x, c)
      sums[lane] += g
      products[lane] = fused(g, x - mean, products[lane])
    }
    row &+= 4
  }
  while row < rows {
    let i = row &* distance, x = load(input + i)
    let g = masked(load(gradient + i), x, c)
    sums[0] += g
    products[0] = fused(g, x - mean, products[0])
    row &+= 1
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3]), (products[0] + products[1]) + (products[2] + products[3]))
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
