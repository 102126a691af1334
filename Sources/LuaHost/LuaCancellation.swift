import CLuaShims

/// The switch that ends a script from outside: from another thread, or from a signal handler by `handle`.
public final class LuaCancellation: @unchecked Sendable {
  private let stop: OpaquePointer

  init(_ stop: OpaquePointer) { self.stop = shim_switch_retain(stop) }
  deinit { shim_switch_release(stop) }

  /// Asks the script to end: it unwinds with an `interrupted` fault that it can't catch. Only stores a flag and writes
  /// to a descriptor, so it is safe in a signal handler.
  public func cancel() { shim_cancel(stop) }

  /// Takes a cancellation back, before another run in the same VM.
  public func reset() { shim_uncancel(stop) }

  /// True when the script is to end, by a cancellation or by a limit. Native loops ask it between batches.
  public var isCancelled: Bool { shim_tripped(stop) != SHIM_NO_TRIP }
}
