import CKernels

// The exponential function and the softmax built on it.

/// e^x to about 1e-7 relative, for x <= 0 and moderate positive x; below -87 it gives at most 1.7e-38.
///
/// Cephes' `expf`: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, and n put into the exponent. Rounding to a
/// whole number by adding 1.5 * 2^23 avoids a checked, lane-by-lane conversion.
@inline(__always)
func exponential(_ x: Lanes) -> Lanes {
  let low = Lanes(repeating: -87.0)
  let clamped = x.replacing(with: low, where: x .< low)
  let magic = Lanes(repeating: 12_582_912)
  let shifted = fused(clamped, Lanes(repeating: 1.442_695_04), magic)
  let n = shifted - magic
  var r = fused(n, Lanes(repeating: -0.693_359_375), clamped)
  r = fused(n, Lanes(repeating: 2.121_944_4e-4), r)
  var p = fused(Lanes(repeating: 1.987_569_15e-4), r, Lanes(repeating: 1.398_199_95e-3))
  p = fused(p, r, Lanes(repeating: 8.333_451_9e-3))
  p = fused(p, r, Lanes(repeating: 4.166_579_6e-2))
  p = fused(p, r, Lanes(repeating: 1.666_666_55e-1))
  p = fused(p, r, Lanes(repeating: 5.000_000_1e-1))
  p = fused(p, r * r, r + Lanes(repeating: 1))
  let exponent = unsafeBitCast(shifted, to: LaneBits.self) &<< LaneBits(repeating: 23)
  let bits = unsafeBitCast(p, to: LaneBits.self) &+ exponent
  return unsafeBitCast(bits, to: Lanes.self)
}

/// The lanes of a row before `classes`; the others become `rest`.
@inline(__always)
private func loadClasses(_ row: UnsafePointer<Float>, _ first: Int, _ classes: Int, _ rest: Float) -> Lanes {
  let inside = laneMask(min(16, classes &- first)) .!= LaneBits(repeating: 0)
  return Lanes(repeating: rest).replacing(with: load(row + first), where: inside)
}

func exponentials(
  _ logits: UnsafePointer<Float>, _ classes: Int64, _ result: UnsafeMutablePointer<Float>,
  _ out: UnsafeMutablePointer<Float>
) {
  let classes = Int(classes)
  var highest = -Float.infinity
  var undefined = false
  for c in 0..<classes {
    let x = logits[c]
    if x > highest { highest = x }
    if x != x { undefined = true }
  }
  if undefined { highest = .nan }
  var total = Lanes(repeating: 0), logitTotal = Lanes(repeating: 0)
  var c = 0
  while c < classes {
    let x = loadClasses(logits, c, classes, 0)
    let below = x - Lanes(repeating: highest)
    // Exactly nothing far below: a masked class, of logit −∞, has probability 0.
    let power = exponential(below).replacing(with: Lanes(repeating: 0), where: below .< Lanes(repeating: -87))
    let e = masked(power, laneMask(min(16, classes &- c)))
    store(e, result + c)
    total += e
    logitTotal += x
    c &+= 16
  }
  out[0] = highest
  out[1] = laneSum(total)
  out[2] = laneSum(logitTotal)
}

func affine(_ result: UnsafeMutablePointer<Float>, _ classes: Int64, _ factor: Float, _ shift: Float) {
  for c in 0..<Int(classes) { result[c] = fused(result[c], factor, shift) }
}
