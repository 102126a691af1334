import CKernels

// Functions of whole rows: softmax, its gradient, and sums of products. Sums are 16 lane sums, added as a tree.

/// The greatest number of a row; NaN is passed over.
@inline(__always)
func rowMaximum(_ row: UnsafePointer<Float>, _ channels: Int) -> Float {
  let lowest = Lanes(repeating: -.infinity)
  var highest = lowest
  var c = 0
  while c < channels {
    let inside = laneMask(min(16, channels &- c)) .!= LaneBits(repeating: 0)
    let x = lowest.replacing(with: loadFirst(row + c, channels &- c), where: inside)
    highest = highest.replacing(with: x, where: x .> highest)
    c &+= 16
  }
  var result = -Float.infinity
  for lane in 0..<16 where highest[lane] > result { result = highest[lane] }
  return result
}

/// e^(x - highest) of a row into the result, and their sum. A logit of −∞ has exactly 0.
@inline(__always)
func rowExponentials(
  _ row: UnsafePointer<Float>, _ channels: Int, _ highest: Float, _ result: UnsafeMutablePointer<Float>
) -> Float {
  var total = Lanes(repeating: 0)
  var c = 0
  while c < channels {
    let below = loadFirst(row + c, channels &- c) - Lanes(repeating: highest)
    let power = exponential(below).replacing(with: Lanes(repeating: 0), where: below .< Lanes(repeating: -87))
    let e = masked(power, laneMask(min(16, channels &- c)))
    storeFirst(e, result + c, channels &- c)
    total += e
    c &+= 16
  }
  return laneSum(total)
}

@inline(__always)
func scaleRow(_ row: UnsafeMutablePointer<Float>, _ channels: Int, _ factor: Float) {
  var c = 0
  while c < channels {
    storeFirst(loadFirst(row + c, channels &- c) * Lanes(repeating: factor), row + c, channels &- c)
    c &+= 16
  }
}

func softmax(
  _ logits: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ rows: Int64, _ channels: Int64,
  _ pixel: Int64
) {
  let channels = Int(channels), pixel = Int(pixel)
  for row in 0..<Int(rows) {
    let x = logits + row &* pixel, y = result + row &* pixel
    let total = rowExponentials(x, channels, rowMaximum(x, channels), y)
    scaleRow(y, channels, 1 / total)
    for lane in channels..<pixel { y[lane] = 0 }
  }
}

func softmaxGradient(
  _ y: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ rows: Int64,
  _ channels: Int64, _ pixel: Int64
) {
  let channels = Int(channels), pixel = Int(pixel)
  for row in 0..<Int(rows) {
    let start = row &* pixel
    let total = Lanes(repeating: laneDot(y + start, gradient + start, channels))
    var c = 0
    while c < channels {
      let lanes = channels &- c, i = start &+ c
      storeFirst(loadFirst(y + i, lanes) * (loadFirst(gradient + i, lanes) - total), result + i, lanes)
      c &+= 16
    }
    for lane in channels..<pixel { result[start &+ lane] = 0 }
  }
}

func logSoftmaxGradient(
  _ y: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ rows: Int64,
  _ channels: Int64, _ pixel: Int64
) {
  let channels = Int(channels), pixel = Int(pixel)
  for row in 0..<Int(rows) {
    let start = row &* pixel
    var sum = Lanes(repeating: 0)
    var c = 0
    while c < channels {
      sum += loadFirst(gradient + (start &+ c), channels &- c)
      c &+= 16
    }
    let total = Lanes(repeating: -laneSum(sum))
    c = 0
    while c < channels {
      let lanes = channels &- c, i = start &+ c
      let power = exponentialOfAny(loadFirst(y + i, lanes))
      storeFirst(fused(power, total, loadFirst(gradient + i, lanes)), result + i, lanes)
      c &+= 16
    }
    for lane in channels..<pixel { result[start &+ lane] = 0 }
  }
}

func rowDot(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ factor: Float, _ result: UnsafeMutablePointer<Float>,
  _ rows: Int64, _ channels: Int64, _ pixel: Int64
) {
  let channels = Int(channels), pixel = Int(pixel)
  for row in 0..<Int(rows) {
    let start = row &* pixel
    let total = Lanes(repeating: laneDot(a + start, b + start, channels) * factor)
    var c = 0
    while c < channels {
      storeFirst(total, result + (start &+ c), channels &- c)
      c &+= 16
    }
    for lane in channels..<pixel { result[start &+ lane] = 0 }
  }
}
