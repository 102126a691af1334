import CKernels

// Layer normalisation over rows of channels. Sums over a row are 16 lane sums that are added as a tree.

/// Mean and inverse deviation of one row, in two passes.
@inline(__always)
private func statistics(_ x: UnsafePointer<Float>, _ channels: Int, _ epsilon: Float) -> (mean: Float, deviation: Float)
{
  var sum = Lanes(repeating: 0)
  var c = 0
  while c < channels {
    sum += loadFirst(x + c, channels &- c)
    c &+= 16
  }
  let count = Float(channels), mean = laneSum(sum) / count
  var squares = Lanes(repeating: 0)
  c = 0
  while c < channels {
    let d = masked(loadFirst(x + c, channels &- c) - Lanes(repeating: mean), laneMask(min(16, channels &- c)))
    squares = fused(d, d, squares)
    c &+= 16
  }
  return (mean, 1 / (laneSum(squares) / count + epsilon).squareRoot())
}

func layerNorm(_ pointer: UnsafePointer<nr_layer_norm_job>) {
  let job = pointer.pointee
  let channels = Int(job.channels), pixel = Int(job.pixel)
  for row in 0..<Int(job.rows) {
    let x = job.input! + row &* pixel, y = job.output! + row &* pixel
    let (mean, deviation) = statistics(x, channels, job.epsilon)
    var c = 0
    while c < channels {
      let lanes = channels &- c
      var value = (loadFirst(x + c, lanes) - Lanes(repeating: mean)) * Lanes(repeating: deviation)
      if let scale = job.scale, let shift = job.shift {
        value = fused(value, loadFirst(scale + c, lanes), loadFirst(shift + c, lanes))
      }
      storeFirst(value, y + c, lanes)
      c &+= 16
    }
    for lane in channels..<pixel { y[lane] = 0 }
  }
}

@inline(__always)
private func scaled(_ gradient: Lanes, _ scale: UnsafePointer<Float>?, _ channel: Int, _ lanes: Int) -> Lanes {
  if let scale { gradient * loadFirst(scale + channel, lanes) } else { gradient }
}

/// The sums over one row of g and of g * normal, with g the gradient by the normalised row.
@inline(__always)
private func sums(
  _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ job: nr_layer_norm_gradient_job, _ mean: Float,
  _ deviation: Float
) -> (gradient: Float, product: Float) {
  let channels = Int(job.channels)
  var total = Lanes(repeating: 0), products = total
  var c = 0
  while c < channels {
    let lanes = channels &- c
    let gradient = loadFirst(dy + c, lanes)
    let normal = (loadFirst(x + c, lanes) - Lanes(repeating: mean)) * Lanes(repeating: deviation)
    if let sum = job.scale_gradient { store(fused(gradient, normal, load(sum + c)), sum + c) }
    if let sum = job.shift_gradient { store(load(sum + c) + gradient, sum + c) }
    let g = scaled(gradient, job.scale, c, lanes)
    total += g
    products = fused(g, normal, products)
    c &+= 16
  }
  return (laneSum(total), laneSum(products))
}

func layerNormGradient(_ pointer: UnsafePointer<nr_layer_norm_gradient_job>) {
  let job = pointer.pointee
  let channels = Int(job.channels), pixel = Int(job.pixel), share = 1 / Float(channels)
  for row in 0..<Int(job.rows) {
    let x = job.input! + row &* pixel, dy = job.gradient! + row &* pixel, dx = job.output! + row &* pixel
    let (mean, deviation) = statistics(x, channels, job.epsilon)
    let total = sums(x, dy, job, mean, deviation)
    let gradientMean = Lanes(repeating: total.gradient * share), productMean = Lanes(repeating: total.product * share)
    var c = 0
    while c < channels {
      let lanes = channels &- c
      let gradient = loadFirst(dy + c, lanes)
      let g = scaled(gradient, job.scale, c, lanes)
      let normal = (loadFirst(x + c, lanes) - Lanes(repeating: mean)) * Lanes(repeating: deviation)
      storeFirst(fused(-normal, productMean, g - gradientMean) * Lanes(repeating: deviation), dx + c, lanes)
      c &+= 16
    }
    for lane in channels..<pixel { dx[lane] = 0 }
  }
}
