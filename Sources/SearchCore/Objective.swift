import Diagnostics

/// Which end of a metric is good.
public enum Direction: String, Sendable, CaseIterable {
  case max
  case min

  /// The value of a trial that failed: no number is worse.
  public var worst: Double { self == .max ? -.infinity : .infinity }

  /// The value to compare: NaN, which a diverged trial can report, is the worst there is.
  public func ranked(_ value: Double) -> Double { value.isNaN ? worst : value }

  /// Whether `a` is strictly better than `b`. NaN is never better, and anything but the worst is better than NaN.
  public func better(_ a: Double, than b: Double) -> Bool {
    self == .max ? ranked(a) > ranked(b) : ranked(a) < ranked(b)
  }
}

/// A metric to make as large or as small as possible.
public struct Objective: Hashable, Sendable {
  /// The metric, as an evaluator reports it.
  public let name: String
  /// Which end is good.
  public let direction: Direction

  /// Makes an objective; the metric needs no declaration.
  public init(_ name: String, _ direction: Direction) {
    self.name = name
    self.direction = direction
  }

  /// The value among the metrics of a trial; the worst where it is missing or NaN, as in a failed trial.
  public func value(in metrics: [String: Double]) -> Double {
    metrics[name].map(direction.ranked) ?? direction.worst
  }
}

/// The objectives of a search in the recipe's order; the first is the primary one.
public struct Objectives: Hashable, Sendable {
  /// In the recipe's order, at least one.
  public let all: [Objective]

  /// Throws a `recipe` fault when there is none or when two share a name.
  public init(_ all: [Objective]) throws {
    if all.isEmpty { throw Fault(.recipe, "a search needs at least one objective", path: "objectives") }
    var seen: Set<String> = []
    for (index, objective) in all.enumerated() where !seen.insert(objective.name).inserted {
      throw Fault(.recipe, "objective '\(objective.name)' is given twice", path: "objectives[\(index + 1)]")
    }
    self.all = all
  }

  /// The one that single-objective strategies and rankings go by: the first.
  public var primary: Objective { all[0] }
  /// As `Pareto` takes them.
  public var directions: [Direction] { all.map(\.direction) }

  /// The objectives' values, the worst for each that is missing or NaN.
  public func values(in metrics: [String: Double]) -> [Double] { all.map { $0.value(in: metrics) } }

  /// Whether the first trial is strictly better by the primary objective.
  public func better(_ a: [String: Double], than b: [String: Double]) -> Bool {
    primary.direction.better(primary.value(in: a), than: primary.value(in: b))
  }

  /// Indices from best to worst by the primary objective; equals keep their order, failed trials come last.
  public func rank(_ trials: [[String: Double]]) -> [Int] {
    let values = trials.map { primary.value(in: $0) }
    return values.indices.sorted { a, b in
      primary.direction.better(values[a], than: values[b])
        || (!primary.direction.better(values[b], than: values[a]) && a < b)
    }
  }
}
