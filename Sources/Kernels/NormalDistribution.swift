import CKernels

// The distribution of the standard normal, and the activation made of it.

/// Φ(x), to about 3e-7 relative, given e^(−x²/2).
///
/// Φ(−|x|) = erfc(h) / 2 with h = |x| / √2, and erfc(h) = e^(−h²) t Q(t) with t = 1 / (1 + h / 2) (the form of Abramowitz
/// & Stegun 7.1.26); Q is the polynomial of degree 8 whose largest relative error over 0 ≤ h ≤ 9.4 is least, 4e-8.
@inline(__always)
func normalDistribution(_ x: Lanes, bell: Lanes) -> Lanes {
  let one = Lanes(repeating: 1)
  let magnitude = unsafeBitCast(unsafeBitCast(x, to: LaneBits.self) & LaneBits(repeating: 0x7fff_ffff), to: Lanes.self)
  let t = one / fused(magnitude, Lanes(repeating: 0.353_553_39), one)
  var q = Lanes(repeating: -0.058_847_42)
  q = fused(q, t, Lanes(repeating: 0.283_489_14))
  q = fused(q, t, Lanes(repeating: -0.484_939_93))
  q = fused(q, t, Lanes(repeating: 0.275_466_36))
  q = fused(q, t, Lanes(repeating: -0.024_821_81))
  q = fused(q, t, Lanes(repeating: 0.201_917_61))
  q = fused(q, t, Lanes(repeating: 0.243_299_97))
  q = fused(q, t, Lanes(repeating: 0.282_348_05))
  q = fused(q, t, Lanes(repeating: 0.282_087_99))
  let tail = Lanes(repeating: 0.5) * bell * t * q
  return (one - tail).replacing(with: tail, where: x .< Lanes(repeating: 0))
}

/// e^(−x²/2).
@inline(__always)
func bell(_ x: Lanes) -> Lanes {
  let h = x * Lanes(repeating: 0.707_106_78)
  return exponential(-h * h)
}

/// x · Φ(x).
func gelu(_ a: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int64) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(gelu(load(a + i)), result + i)
    i &+= 16
  }
  if i < count { storeFirst(gelu(loadFirst(a + i, count &- i)), result + i, count &- i) }
}

@inline(__always)
private func gelu(_ x: Lanes) -> Lanes { x * normalDistribution(x, bell: bell(x)) }

/// gradient · (Φ(x) + x φ(x)).
func geluGradient(
  _ a: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int64
) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(load(gradient + i) * geluSlope(load(a + i)), result + i)
    i &+= 16
  }
  if i < count {
    let slope = geluSlope(loadFirst(a + i, count &- i))
    storeFirst(loadFirst(gradient + i, count &- i) * slope, result + i, count &- i)
  }
}

@inline(__always)
private func geluSlope(_ x: Lanes) -> Lanes {
  let bell = bell(x)
  return fused(x * bell, Lanes(repeating: 0.398_942_28), normalDistribution(x, bell: bell))
}
