/// Bounds that a trial's metric has to keep, apart from the objectives.
public struct Constraint: Hashable, Sendable {
  /// The metric, as an evaluator reports it.
  public let metric: String
  /// The least value that keeps it; nil: any.
  public let minimum: Double?
  /// The greatest value that keeps it; nil: any.
  public let maximum: Double?

  public init(_ metric: String, min minimum: Double? = nil, max maximum: Double? = nil) {
    (self.metric, self.minimum, self.maximum) = (metric, minimum, maximum)
  }

  /// By how much a value is out of bounds: 0 inside; else as a part of the bound, or as it is where the bound is 0, so
  /// that metrics of different units add up. Infinite for NaN.
  public func violation(of value: Double) -> Double {
    if value.isNaN { return .infinity }
    let below = minimum.map { Self.part($0 - value, of: $0) } ?? 0
    let above = maximum.map { Self.part(value - $0, of: $0) } ?? 0
    return max(0, below, above)
  }

  private static func part(_ excess: Double, of bound: Double) -> Double {
    excess <= 0 ? 0 : bound == 0 ? excess : excess / abs(bound)
  }
}

extension Collection where Element == Constraint {
  /// The sum of the violations in the order of the metrics' names; infinite when a metric is missing. A trial with a sum
  /// of 0 is feasible (Deb, "An efficient constraint handling method for genetic algorithms", 2000, section 3).
  public func violation(in metrics: [String: Double]) -> Double {
    sorted { $0.metric < $1.metric }.reduce(0) { $0 + $1.violation(of: metrics[$1.metric] ?? .nan) }
  }
}
