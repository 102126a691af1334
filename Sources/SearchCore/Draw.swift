import Foundation

/// The draws that sampling is made of, each a documented function of `next()`: the standard library doesn't promise
/// that its own keep their algorithm, and a run must repeat with another toolchain.
enum Draw {
  /// A number below `count`, each equally likely: `next()` modulo `count`, drawing again above the largest multiple.
  /// One number to choose from takes no draw.
  static func below(_ count: Int, _ generator: inout some RandomNumberGenerator) -> Int {
    precondition(count > 0)
    if count == 1 { return 0 }
    let count = UInt64(count)
    let last = UInt64.max - (UInt64.max % count + 1) % count
    var bits: UInt64 = generator.next()
    while bits > last { bits = generator.next() }
    return Int(bits % count)
  }

  /// A number in 0..<1: the upper 53 bits of `next()`.
  static func unit(_ generator: inout some RandomNumberGenerator) -> Double {
    let bits: UInt64 = generator.next()
    return Double(bits >> 11) * 0x1p-53
  }

  /// A member of the range: each equally likely, or with probability proportional to log((v + step) / v).
  static func int(_ range: IntRange, _ generator: inout some RandomNumberGenerator) -> Int {
    guard range.log, range.count > 1 else { return range.value(at: below(range.count, &generator)) }
    let low = Double(range.lower), end = Double(range.upper + range.step)
    let drawn = low * exp(unit(&generator) * log(end / low))
    return range.value(at: min(range.count - 1, max(0, Int((drawn - low) / Double(range.step)))))
  }

  /// A member of the range, uniform in the value or in its logarithm, rounded to nine significant digits so that texts
  /// stay short and the last bits of the C library's `exp` don't matter.
  static func float(_ range: FloatRange, _ generator: inout some RandomNumberGenerator) -> Double {
    range.value(at: unit(&generator))
  }
}

extension FloatRange {
  /// The value at a fraction of the way (of the logarithm's way) from `lower` to `upper`.
  func value(at fraction: Double) -> Double {
    let exact = log ? lower * exp(fraction * Foundation.log(upper / lower)) : lower + fraction * (upper - lower)
    let rounded = Double(String(format: "%.8e", exact)) ?? exact
    // Zero and minus zero are one value.
    return min(max(rounded, lower), upper) + 0
  }

  /// Where a value is on the way from `lower` to `upper`: the inverse of `value(at:)`.
  func fraction(of value: Double) -> Double {
    if lower == upper { return 0 }
    return log ? Foundation.log(value / lower) / Foundation.log(upper / lower) : (value - lower) / (upper - lower)
  }
}
