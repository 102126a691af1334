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
}
