import CKernels

// Binary codes of numbers: a bit for each, whether it is greater than 0.

/// A bit for each lane.
@inline(__always)
private func bits(_ mask: SIMDMask<SIMD16<Int32>>) -> UInt32 {
  let places = LaneBits(
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
  let set = LaneBits(repeating: 0).replacing(with: places, where: mask)
  let eight = set.lowHalf | set.highHalf
  let four = eight.lowHalf | eight.highHalf
  let two = four.lowHalf | four.highHalf
  return two.x | two.y
}

/// 32 numbers make a word; those of the last word that aren't there count as 0.
func signCodes(_ a: UnsafePointer<Float>, _ count: Int64, _ codes: UnsafeMutablePointer<UInt32>) {
  let count = Int(count), zero = Lanes(repeating: 0)
  var i = 0
  while i < count {
    let first = bits(loadFirst(a + i, count &- i) .> zero)
    let second = i &+ 16 < count ? bits(loadFirst(a + (i &+ 16), count &- i &- 16) .> zero) : 0
    codes[i / 32] = first | second &<< 16
    i &+= 32
  }
}

/// How many bits of two codes differ.
func differingBits(_ a: UnsafePointer<UInt32>, _ b: UnsafePointer<UInt32>, _ words: Int64) -> Int64 {
  var total = 0
  for word in 0..<Int(words) { total &+= (a[word] ^ b[word]).nonzeroBitCount }
  return Int64(total)
}
