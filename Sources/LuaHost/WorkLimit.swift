import CLuaShims

extension LuaHost {
  /// The most time and memory that a stretch of work may take.
  public struct WorkLimit: Sendable, Equatable {
    /// Seconds; nil: any. The time in which the machine sleeps or the process is stopped doesn't count.
    public var seconds: Double?
    /// Bytes by which the resident memory of the process may grow; nil: any. Looked at every 20 ms.
    public var bytes: Int?

    public init(seconds: Double? = nil, bytes: Int? = nil) { (self.seconds, self.bytes) = (seconds, bytes) }

    /// What was reached.
    public enum Reached: String, Sendable {
      case time, memory

      init?(_ trip: Int32) {
        switch trip {
        case SHIM_TRIP_LIMIT_TIME: self = .time
        case SHIM_TRIP_LIMIT_MEMORY: self = .memory
        default: return nil
        }
      }
    }
  }

  /// Runs `body`, which waits for another process: the time doesn't count for limits, but is part of `lostSeconds`.
  public func waiting(_ body: () throws -> Void) rethrows {
    shim_begin_wait(vm)
    defer { shim_end_wait(vm) }
    try body()
  }

  /// Seconds in which the process was stopped, the machine asleep, or a script `waiting`.
  public var lostSeconds: Double { shim_lost_seconds(vm) }

  /// Runs `body` under a limit. When it is reached, scripts unwind whatever they catch, and `isCancelled` tells native
  /// loops to end; then the result is nil. Limits don't nest.
  ///
  /// - Returns: what `body` returns, or else what was reached.
  public func limited<Result>(
    to limit: WorkLimit, _ body: () throws -> Result
  ) throws -> (result: Result?, reached: WorkLimit.Reached?) {
    shim_begin_limit(vm, limit.seconds ?? 0, limit.bytes ?? 0)
    do {
      let result = try body()
      _ = shim_end_limit(vm)
      return (result, nil)
    } catch {
      let reached = WorkLimit.Reached(shim_end_limit(vm))
      guard let reached, !isCancelled else { throw error }
      return (nil, reached)
    }
  }
}
