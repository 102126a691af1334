import CKernels

/// Asks for memory that is needed next, a few cache lines with each call: while a kernel computes, the caches are idle,
/// and the hardware doesn't see a pattern over strips and rows.
struct Ahead {
  private var first: Region, second: Region, third: Region

  /// Spreads the regions over a number of calls.
  @inline(__always)
  init(_ regions: (nr_ahead, nr_ahead, nr_ahead), calls: Int) {
    first = Region(regions.0, calls: calls)
    second = Region(regions.1, calls: calls)
    third = Region(regions.2, calls: calls)
  }

  @inline(__always)
  mutating func ask() {
    first.ask()
    second.ask()
    third.ask()
  }

  private struct Region {
    var next: UnsafePointer<Float>, left: Int
    let perCall: Int, lines: Int, step: Int

    @inline(__always)
    init(_ region: nr_ahead, calls: Int) {
      left = region.start == nil ? 0 : Int(region.runs)
      next = region.start ?? UnsafePointer(bitPattern: 64)!
      perCall = left / max(1, calls) &+ 1
      (lines, step) = (Int(region.lines), Int(region.step))
    }

    @inline(__always)
    mutating func ask() {
      let count = min(perCall, left)
      if lines == 1 {
        for _ in 0..<count {
          nr_prefetch(next)
          next += step
        }
      } else {
        for _ in 0..<count {
          for line in 0..<lines { nr_prefetch(next + line &* 16) }
          next += step
        }
      }
      left &-= count
    }
  }
}
