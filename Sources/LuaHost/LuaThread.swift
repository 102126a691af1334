import Foundation

extension LuaHost {
  /// Runs `body` on a thread with a 16 MB stack and waits for it: nested calls between Swift and Lua need about 4 KB of
  /// stack each, in a debug build more, and Lua allows 200 of them.
  public static func onBigStack<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    let outcome = Outcome<Result>()
    let thread = Thread { outcome.finish(Swift.Result { try body() }) }
    thread.stackSize = 16 << 20
    thread.start()
    return try outcome.wait().get()
  }
}

/// What a thread leaves for the one that waits for it.
private final class Outcome<Value: Sendable>: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var result: Result<Value, any Error>?

  func finish(_ result: Result<Value, any Error>) {
    self.result = result
    done.signal()
  }

  func wait() -> Result<Value, any Error> {
    done.wait()
    return result!
  }
}
