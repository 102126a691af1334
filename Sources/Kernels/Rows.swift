import CKernels

// Kernels over rows of channels: what joins and splits channels, and sums over rows for each channel.

func copyChannels(
  _ a: UnsafePointer<Float>, _ aWidth: Int64, _ result: UnsafeMutablePointer<Float>, _ resultWidth: Int64,
  _ rows: Int64, _ channels: Int64, _ zeros: Int64
) {
  let channels = Int(channels), zeros = Int(zeros), isPadding = channels < 16 && channels &+ zeros == 16
  let first = isPadding ? padWhole(a, Int(aWidth), result, Int(resultWidth), Int(rows), channels) : 0
  for row in first..<Int(rows) {
    let source = a + row &* Int(aWidth)
    let target = result + row &* Int(resultWidth)
    var c = 0
    while c &+ 16 <= channels {
      store(load(source + c), target + c)
      c &+= 16
    }
    while c < channels {
      target[c] = source[c]
      c &+= 1
    }
    while c < channels &+ zeros {
      target[c] = 0
      c &+= 1
    }
  }
}

/// Pads rows of less than a vector as long as a whole one may be read; returns how many.
@inline(__always)
private func padWhole(
  _ a: UnsafePointer<Float>, _ aWidth: Int, _ result: UnsafeMutablePointer<Float>, _ resultWidth: Int, _ rows: Int,
  _ channels: Int
) -> Int {
  let mask = laneMask(channels), end = (rows &- 1) &* aWidth &+ channels
  var row = 0
  while row < rows, row &* aWidth &+ 16 <= end {
    store(masked(load(a + row &* aWidth), mask), result + row &* resultWidth)
    row &+= 1
  }
  return row
}

/// The sum over rows of one vector of channels, as four interleaved sums added in pairs.
@inline(__always)
func rowSum(_ a: UnsafePointer<Float>, _ rows: Int, _ pixel: Int) -> Lanes {
  var s0 = Lanes(repeating: 0), s1 = s0, s2 = s0, s3 = s0
  var row = 0
  while row &+ 4 <= rows {
    let p = a + row &* pixel
    s0 += load(p)
    s1 += load(p + pixel)
    s2 += load(p + 2 &* pixel)
    s3 += load(p + 3 &* pixel)
    row &+= 4
  }
  while row < rows {
    s0 += load(a + row &* pixel)
    row &+= 1
  }
  return (s0 + s1) + (s2 + s3)
}

/// Rows that are summed on their own before they are added to the total, which keeps the rounding error small.
let rowsPerBlock = 64

func sumRows(_ a: UnsafePointer<Float>, _ rows: Int64, _ pixel: Int64, _ result: UnsafeMutablePointer<Float>) {
  let rows = Int(rows), pixel = Int(pixel)
  fill(0, result, Int64(pixel))
  var first = 0
  while first < rows {
    let count = min(rowsPerBlock, rows &- first)
    var c = 0
    while c < pixel {
      store(load(result + c) + rowSum(a + (first &* pixel &+ c), count, pixel), result + c)
      c &+= 16
    }
    first &+= count
  }
}
