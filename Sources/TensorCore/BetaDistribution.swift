/// The beta distribution, for gradients through draws from Dirichlet distributions.
public enum BetaDistribution {
  /// The derivative by `a` of a draw `x` from Beta(a, b), by implicit differentiation of its distribution function
  /// (Figurnov, Mohamed & Mnih 2018): `−(∂F/∂a) / f`, divided by `1 − x`.
  ///
  /// ∂F/∂a is a central difference; F, to nearly double precision, leaves eight digits of it.
  public static func pathwiseGradient(x: Double, a: Double, b: Double) -> Double {
    let step = 1e-4 * max(a, 1e-3)
    let difference = distribution(x, a + step, b) - distribution(x, a - step, b)
    return -difference / (2 * step) / (density(x, a, b) * (1 - x))
  }

  /// What `pathwiseGradient` depends on.
  public enum Argument: Int, Sendable {
    case draw, a, b
  }

  /// The derivative of `pathwiseGradient` by one of its arguments: a central difference, good to about 1e-5.
  public static func pathwiseCurvature(by argument: Argument, x: Double, a: Double, b: Double) -> Double {
    let (reach, step) = (1e-3, argument == .draw ? min(x, 1 - x) : argument == .a ? a : b)
    func slope(_ shift: Double) -> Double {
      pathwiseGradient(
        x: argument == .draw ? x + shift : x, a: argument == .a ? a + shift : a, b: argument == .b ? b + shift : b)
    }
    return (slope(reach * step) - slope(-reach * step)) / (2 * reach * step)
  }

  /// The density of Beta(a, b) at x.
  static func density(_ x: Double, _ a: Double, _ b: Double) -> Double {
    Reproducible.exponential(logFactor(x, a, b)) / (x * (1 - x))
  }

  /// The regularised incomplete beta function: its continued fraction (Abramowitz & Stegun 26.5.8), on the side where
  /// it converges fast.
  static func distribution(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - distribution(1 - x, b, a) }
    return Reproducible.exponential(logFactor(x, a, b)) / a * fraction(x, a, b)
  }

  /// The continued fraction `1 / (1 + d₁ / (1 + d₂ / …))`, from its far end.
  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    var value = 1.0
    for m in stride(from: 100.0, through: 1, by: -1) {
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      value = 1 + even / (1 + odd / value)
    }
    return 1 / (1 - (a + b) / (a + 1) * x / value)
  }

  /// log(xᵃ (1 − x)ᵇ / B(a, b)).
  private static func logFactor(_ x: Double, _ a: Double, _ b: Double) -> Double {
    a * Reproducible.logarithm(x) + b * Reproducible.logarithm(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b)
  }

  /// log Γ(x) for x > 0: Stirling's series from 10 on (Abramowitz & Stegun 6.1.41), the recurrence below.
  static func logGamma(_ x: Double) -> Double {
    var z = x, product = 1.0
    while z < 10 {
      product *= z
      z += 1
    }
    let s = 1 / (z * z)
    let series = (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s / 1188)))) / z
    return (z - 0.5) * Reproducible.logarithm(z) - z + 0.918_938_533_204_672_7 + series
      - Reproducible.logarithm(product)
  }
}
