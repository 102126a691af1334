// Vectors of 16 floats: the channels of one pixel, always in the same lanes whatever the instruction set.
//
// The kernel modules use pointers, integers, SIMD and InlineArray only. Arrays, closures and other generics of the
// standard library would leave specialised copies in several modules; the linker keeps one, maybe with instructions
// that the CPU lacks. `Scripts/check-kernel-symbols` looks for such copies.

typealias Lanes = SIMD16<Float>
typealias LaneBits = SIMD16<UInt32>

@inline(__always)
func load(_ pointer: UnsafePointer<Float>) -> Lanes {
  UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
}

@inline(__always)
func load(_ pointer: UnsafeMutablePointer<Float>) -> Lanes {
  UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
}

@inline(__always)
func store(_ value: Lanes, _ pointer: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: Lanes.self)
}

/// All bits set in the first `count` lanes, none in the others.
@inline(__always)
func laneMask(_ count: Int) -> LaneBits {
  let lane = LaneBits(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let inside = lane .< LaneBits(repeating: UInt32(truncatingIfNeeded: count))
  return LaneBits(repeating: 0).replacing(with: LaneBits(repeating: .max), where: inside)
}

/// The value where the mask has its bits set, else zero, also for NaN.
@inline(__always)
func masked(_ value: Lanes, _ mask: LaneBits) -> Lanes {
  unsafeBitCast(unsafeBitCast(value, to: LaneBits.self) & mask, to: Lanes.self)
}

/// The sum of the lanes, as a fixed tree: halves are added until one lane is left.
@inline(__always)
func laneSum(_ value: Lanes) -> Float {
  let eight = value.lowHalf + value.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}

/// The first lanes from memory, the others zero.
@inline(__always)
func loadFirst(_ pointer: UnsafePointer<Float>, _ count: Int) -> Lanes {
  if count >= 16 { return load(pointer) }
  var value = Lanes(repeating: 0)
  for lane in 0..<count { value[lane] = pointer[lane] }
  return value
}

@inline(__always)
func storeFirst(_ value: Lanes, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
  if count >= 16 { return store(value, pointer) }
  for lane in 0..<count { pointer[lane] = value[lane] }
}

/// The sum of products in 16 lane sums, position modulo 16, that are added as a tree.
@inline(__always)
func laneDot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
  var sum = Lanes(repeating: 0)
  var i = 0
  while i &+ 16 <= count {
    sum = fused(load(a + i), load(b + i), sum)
    i &+= 16
  }
  if i < count { sum = fused(loadFirst(a + i, count &- i), loadFirst(b + i, count &- i), sum) }
  return laneSum(sum)
}
