import Canonical
import Diagnostics

/// Random numbers that depend on a seed and a name only: a new consumer, or another order of consumers, shifts nobody's
/// numbers.
///
/// The generator is xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021). Its
/// state is the SHA-256 digest of the seed (8 bytes, little-endian), the length of the name in UTF-8 bytes (the same)
/// and the name, read as four big-endian words. Everything below uses exactly specified arithmetic, so that the
/// numbers are the same on every machine.
public struct RandomStream: RandomNumberGenerator, Sendable, Hashable {
  /// The four words, each by itself: as a vector they take six times as long.
  private var a: UInt64, b: UInt64, c: UInt64, d: UInt64

  /// The stream `name` of the run's `seed`.
  public init(seed: UInt64, name: String) {
    let digest = ContentDigest()
    digest.update(seed)
    digest.update(name)
    let bytes = digest.finishBytes()
    func word(_ index: Int) -> UInt64 { bytes[8 * index..<8 * index + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    (a, b, c, d) = (word(0), word(1), word(2), word(3))
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = Self.rotate(b &* 5, by: 7) &* 9
    let shifted = b &<< 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = Self.rotate(d, by: 45)
    return result
  }

  /// A number in 0 ..< 1, uniform over multiples of 2^-53.
  public mutating func uniform() -> Double { Double(next() &>> 11) * 0x1p-53 }

  /// A number in `range.lowerBound ..< range.upperBound`.
  public mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Writes the next `count` numbers of a uniform distribution over `-bound ..< bound`.
  public mutating func fillUniform(_ values: UnsafeMutablePointer<Float>, count: Int, bound: Double) {
    var stream = self
    for index in 0..<count { values[index] = Float((2 * stream.uniform() - 1) * bound) }
    self = stream
  }

  /// A whole number in `0 ..< bound`, without bias; 0 when the bound is below 2.
  ///
  /// Lemire, "Fast random integer generation in an interval", 2019.
  public mutating func uniform(below bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// A number of the standard normal distribution: mean 0, deviation 1.
  ///
  /// Marsaglia's polar method; of each pair the second number is dropped, so that the state is the four words alone.
  public mutating func normal() -> Double {
    while true {
      let u = 2 * uniform() - 1, v = 2 * uniform() - 1
      let s = u * u + v * v
      if s > 0 && s < 1 { return u * (-2 * reproducibleLogarithm(s) / s).squareRoot() }
    }
  }

  /// Puts the elements into a random order (Fisher and Yates, from the last element down).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, uniform(below: last + 1))
    }
  }

  private static func rotate(_ word: UInt64, by count: UInt64) -> UInt64 { word &<< count | word &>> (64 &- count) }
}

extension RandomStream {
  /// The state, for a checkpoint: `{"generator": "xoshiro256**", "state": [four hexadecimal words]}`.
  public var state: JSONValue {
    let digits = [a, b, c, d].map { JSONValue.string(String($0, radix: 16)) }
    return ["generator": .string(Self.generator), "state": .array(digits)]
  }

  /// Continues from a saved state. Throws a `data` fault when the value isn't one.
  public init(state: JSONValue) throws {
    let saved = state["state"]?.array?.compactMap { $0.string.flatMap { UInt64($0, radix: 16) } }
    guard state["generator"]?.string == Self.generator, let saved, saved.count == 4, saved != [0, 0, 0, 0] else {
      throw Fault(
        .data, "not the state of a random stream", expected: "four words of \(Self.generator)", got: state.text())
    }
    (a, b, c, d) = (saved[0], saved[1], saved[2], saved[3])
  }

  private static let generator = "xoshiro256**"
}

/// The natural logarithm of a positive, finite, normal number to about 1e-16 relative, by additions, multiplications
/// and divisions only: unlike the C library's, the same bits everywhere.
///
/// x = m 2^e with m in [√½, √2), and log m = 2 artanh((m - 1) / (m + 1)) as a power series.
func reproducibleLogarithm(_ x: Double) -> Double {
  var exponent = Double(x.exponent), significand = x.significand
  if significand > 1.414_213_562_373_095_1 {
    significand *= 0.5
    exponent += 1
  }
  let t = (significand - 1) / (significand + 1), square = t * t
  var series = 0.0
  for odd in stride(from: 23.0, through: 1, by: -2) { series = series * square + 1 / odd }
  return exponent * 0.693_147_180_559_945_3 + 2 * t * series
}
