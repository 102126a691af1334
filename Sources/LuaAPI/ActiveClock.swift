import LuaHost

/// Seconds that a run has been at work, over all its processes: the time while it was down, stopped, or waiting for
/// another process doesn't count.
struct ActiveClock {
  private let start = ContinuousClock.now
  private let host: LuaHost
  /// What earlier processes of the run have used.
  let before: Double

  init(before: Double, host: LuaHost) { (self.before, self.host) = (before, host) }

  var seconds: Double {
    let passed = ContinuousClock.now - start
    return max(before, before + passed / .seconds(1) - host.lostSeconds)
  }
}
