/// Functions whose bits are the same on every machine: made of additions, multiplications and divisions alone, to
/// nearly double precision.
public enum Reproducible {
  /// e^x: x = n ln 2 + r with |r| <= ln 2 / 2, and the power series in r.
  public static func exponential(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x > 709 { return .infinity }
    if x < -708 { return 0 }
    let n = (x * 1.442_695_040_888_963_4).rounded()
    let r = (x - n * 0.693_147_180_369_123_8) - n * 1.908_214_929_270_587_7e-10
    var sum = 1.0
    for k in stride(from: 13.0, through: 1, by: -1) { sum = 1 + sum * r / k }
    return sum * Double(sign: .plus, exponent: Int(n), significand: 1)
  }

  /// The natural logarithm of a positive number.
  public static func logarithm(_ x: Double) -> Double { reproducibleLogarithm(x) }

  /// 1 / (1 + e^−x).
  public static func sigmoid(_ x: Double) -> Double {
    let e = exponential(-abs(x))
    return x < 0 ? e / (1 + e) : 1 / (1 + e)
  }

  /// The hyperbolic tangent; its power series near 0, where the formula with exponentials cancels.
  public static func tanh(_ x: Double) -> Double {
    let square = x * x
    if square < 1e-4 { return x * (1 - square / 3 + 2 * square * square / 15) }
    let e = exponential(-2 * abs(x))
    return x < 0 ? (e - 1) / (1 + e) : (1 - e) / (1 + e)
  }

  /// log(1 + e^x).
  public static func softplus(_ x: Double) -> Double {
    if x.isNaN { return x }
    let e = exponential(-abs(x))
    let tail = e < 1e-5 ? e - e * e / 2 : logarithm(1 + e)
    return max(x, 0) + tail
  }

  /// The standard normal density.
  public static func normalDensity(_ x: Double) -> Double { 0.398_942_280_401_432_7 * exponential(-x * x / 2) }

  /// The standard normal distribution function Φ: its series up to 4 (Abramowitz & Stegun 26.2.11), then the continued
  /// fraction of the tail (26.2.14).
  public static func normalDistribution(_ x: Double) -> Double {
    if x.isNaN { return x }
    let z = abs(x), density = normalDensity(x)
    if z < 4 {
      var sum = 1.0
      for k in stride(from: 45.0, through: 1, by: -1) { sum = 1 + sum * z * z / (2 * k + 1) }
      return x < 0 ? 0.5 - density * z * sum : 0.5 + density * z * sum
    }
    var fraction = z
    for k in stride(from: 30.0, through: 1, by: -1) { fraction = z + k / fraction }
    return x < 0 ? density / fraction : 1 - density / fraction
  }

  /// log Σ e^x over `count` numbers, without overflow; NaN when one is.
  public static func logSumExp(_ x: UnsafePointer<Float>, count: Int) -> Double {
    var highest = -Double.infinity
    for index in 0..<count {
      if x[index].isNaN { return .nan }
      highest = max(highest, Double(x[index]))
    }
    guard highest.isFinite else { return highest }
    var total = 0.0
    for index in 0..<count { total += exponential(Double(x[index]) - highest) }
    return highest + logarithm(total)
  }
}
