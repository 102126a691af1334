import CKernels

// Numbers rounded to bfloat16, the upper half of single precision, in pairs: of two neighbours along the depth of a
// product the first is the upper half of a 32-bit word, the second the lower.

/// Rounded to the nearest, of two equally near to the even one, in the upper half of each lane; what is below it is not
/// zero. NaN stays NaN.
@inline(__always)
private func rounded(_ value: Lanes) -> LaneBits {
  let bits = unsafeBitCast(value, to: LaneBits.self)
  let even = (bits &>> 16) & LaneBits(repeating: 1)
  let quiet = LaneBits(repeating: 0x7fc0_0000)
  return (bits &+ even &+ LaneBits(repeating: 0x7fff)).replacing(with: quiet, where: value .!= value)
}

@inline(__always)
private func pairs(_ first: Lanes, _ second: Lanes) -> Lanes {
  let upper = rounded(first) & LaneBits(repeating: 0xffff_0000)
  return unsafeBitCast(upper | (rounded(second) &>> 16), to: Lanes.self)
}

/// words[i] = the pair of a[2 i] and a[2 i + 1], or 0 past the end.
func pairColumns(_ a: UnsafePointer<Float>, _ count: Int64, _ words: UnsafeMutablePointer<Float>) {
  let count = Int(count)
  var i = 0
  while i &+ 32 <= count {
    let lower = load(a + i), upper = load(a + (i &+ 16))
    store(pairs(nr_even_lanes(lower, upper), nr_odd_lanes(lower, upper)), words + i / 2)
    i &+= 32
  }
  if i < count {
    let left = count &- i, lower = loadFirst(a + i, left)
    let upper = left > 16 ? loadFirst(a + (i &+ 16), left &- 16) : Lanes(repeating: 0)
    storeFirst(pairs(nr_even_lanes(lower, upper), nr_odd_lanes(lower, upper)), words + i / 2, (left &+ 1) / 2)
  }
}

/// The pairs of two rows, or of one and zeros, in panels of 32 columns that are `panel` words apart. The last vector is
/// written whole.
func pairRows(
  _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>?, _ count: Int64,
  _ words: UnsafeMutablePointer<Float>, _ panel: Int64
) {
  let count = Int(count), panel = Int(panel)
  var i = 0
  while i < count {
    let left = count &- i, target = words + (i / 32 &* panel &+ i % 32)
    let upper = loadFirst(first + i, left)
    var lower = Lanes(repeating: 0)
    if let second { lower = loadFirst(second + i, left) }
    store(pairs(upper, lower), target)
    i &+= 16
  }
}
