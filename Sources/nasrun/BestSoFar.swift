import Canonical
import RunStore
import SearchCore

/// The best value that searches had found after so many trials, or so many seconds of trials.
struct BestSoFar {
  /// Where the best changed in one search: from `x` on it is `value`.
  typealias Steps = [(x: Double, value: Double)]

  private let runs: [Steps]
  /// The end of the longest search.
  let end: Double

  /// - Parameter searches: the trials of equal searches, such as those with other seeds.
  init(_ searches: [[TrialRecord]], _ objective: Objective, over axis: Comparison.Axis) {
    var end = 0.0
    runs = searches.map { trials in
      var x = 0.0, steps: Steps = []
      for trial in trials.sorted(by: { $0.number < $1.number }) where trial.status != .running {
        x += axis == .trials ? 1 : trial.cost
        guard trial.isFeasible, let value = trial.metric(objective.name), value.isFinite else { continue }
        if steps.last.map({ objective.direction.better(value, than: $0.value) }) ?? true { steps.append((x, value)) }
      }
      end = max(end, x)
      return steps
    }
    self.end = end
  }

  /// The best values at a place, one for each search that has one by then.
  func values(at x: Double) -> Spread {
    Spread(runs.compactMap { steps in steps.last { $0.x <= x }?.value })
  }

  /// `count` places from the first to the end with what was best there.
  func points(_ count: Int, to end: Double, from start: Double) -> [(x: Double, best: Spread)] {
    (0..<count).compactMap { index in
      let x = count == 1 ? end : start + (end - start) * Double(index) / Double(count - 1)
      let best = values(at: x)
      return best.values.isEmpty ? nil : (x, best)
    }
  }

  /// Every place where the best of some search changed, and the end.
  var changes: [(x: Double, best: Spread)] {
    let places = Set(runs.flatMap { $0.map(\.x) } + [end]).sorted()
    return places.map { ($0, values(at: $0)) }.filter { !$0.best.values.isEmpty }
  }
}
