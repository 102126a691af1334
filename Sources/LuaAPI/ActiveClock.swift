import Foundation

/// Seconds that a run has been at work, over all its processes: the time while it was down doesn't count.
struct ActiveClock {
  private let start = ContinuousClock.now
  /// What earlier processes of the run have used.
  let before: Double

  init(before: Double = 0) { self.before = before }

  var seconds: Double {
    let passed = ContinuousClock.now - start
    return before + Double(passed.components.seconds) + Double(passed.components.attoseconds) * 1e-18
  }
}
