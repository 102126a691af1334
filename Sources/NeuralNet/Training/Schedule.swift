import Diagnostics

/// The learning rate over a training, per step or per epoch: the caller chooses the unit of `position` and `total`.
public struct Schedule: Hashable, Sendable {
  /// The shape of the curve after the warm-up.
  public enum Curve: Hashable, Sendable {
    case constant
    /// Multiplied by `factor` after every `every` positions.
    case step(every: Int, factor: Double)
    /// Half a cosine from the peak down to `minimum` at the end (Loshchilov & Hutter 2017, without restarts).
    case cosine(minimum: Double)
  }

  public var curve: Curve
  /// The learning rate after the warm-up.
  public var peak: Double
  /// Positions of warm-up: the rate grows in equal steps, `peak / warmUp` first, `peak` last.
  public var warmUp: Int
  /// All positions, the warm-up included.
  public var total: Int

  /// Throws a `recipe` fault for a value out of range.
  public init(_ curve: Curve, peak: Double, total: Int, warmUp: Int = 0) throws {
    guard peak > 0, peak.isFinite else {
      throw Fault(.recipe, "wrong learning rate", expected: "above 0", got: "\(peak)")
    }
    guard total > 0, (0...total).contains(warmUp) else {
      throw Fault(.recipe, "wrong warm-up", expected: "0 to \(total)", got: "\(warmUp)")
    }
    if case .step(let every, let factor) = curve, every < 1 || !(factor > 0 && factor.isFinite) {
      throw Fault(.recipe, "wrong step schedule", expected: "every ≥ 1 and factor > 0", got: "\(every), \(factor)")
    }
    if case .cosine(let minimum) = curve, !(0...peak).contains(minimum) {
      throw Fault(.recipe, "wrong lowest learning rate", expected: "0 to \(peak)", got: "\(minimum)")
    }
    self.curve = curve
    self.peak = peak
    self.total = total
    self.warmUp = warmUp
  }

  /// The learning rate at a position, from 0.
  public func value(at position: Int) -> Double {
    if position < warmUp { return peak * Double(position + 1) / Double(warmUp) }
    let elapsed = position - warmUp
    switch curve {
    case .constant: return peak
    case .step(let every, let factor): return Self.product(peak, factor, times: elapsed / every)
    case .cosine(let minimum):
      let part = Double(min(elapsed, total - warmUp)) / Double(max(1, total - warmUp))
      return minimum + (peak - minimum) * (1 + cosine(Double.pi * part)) / 2
    }
  }

  /// `value` times `factor` again and again; from 1000 times on by the factor's squares, so that it soon ends.
  private static func product(_ value: Double, _ factor: Double, times: Int) -> Double {
    if times < 1000 { return (0..<times).reduce(value) { product, _ in product * factor } }
    var result = value, power = factor, rest = times
    while rest > 0 {
      if rest & 1 == 1 { result *= power }
      power *= power
      rest >>= 1
    }
    return result
  }

  /// The cosine of an angle in 0 ... π, to 1e-15, by its Taylor series: the system's library rounds differently from
  /// one machine to another, and the learning rate is a part of what must repeat.
  private func cosine(_ angle: Double) -> Double {
    if angle > Double.pi / 2 { return -cosine(Double.pi - angle) }
    var term = 1.0, sum = 1.0
    for order in stride(from: 2.0, through: 24, by: 2) {
      term *= -angle * angle / (order * (order - 1))
      sum += term
    }
    return sum
  }
}
