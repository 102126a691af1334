import Diagnostics
import Foundation

/// What a `LuaHost` is made with.
public struct LuaOptions {
  /// The most memory of the VM in bytes, native memory of its userdata included.
  public var memoryLimit = standardMemoryLimit
  /// The longest time in seconds (of its thread's processor time) that a script may compute without calling the host; 0
  /// for no limit.
  public var secondsBetweenCalls = 60.0
  /// How long in seconds a script may ignore the end that a limit or a cancellation asks for.
  public var secondsOfGrace = 2.0
  /// Opens the libraries `io` and `os`.
  public var trusted = false
  /// Takes one printed line, without the line break.
  public var output: (String) -> Void = { print($0) }
  /// The next 64 random bits of the stream behind `math.random`.
  public var random: () -> UInt64
  /// The folders in which `require` looks for `<name>.lua` first, in order. Their chunks are recipe code.
  public var recipeFolders: [String] = []
  /// A folder that holds a `nas/` and wins over the embedded library. Its chunks are library code.
  public var scriptsFolder: String?
  /// Called on a thread of its own with the error of a script that can't be stopped. The process should end.
  public var onUnresponsive: @Sendable (Fault) -> Void = { fault in
    FileHandle.standardError.write(Data("\(fault)\n".utf8))
    _exit(fault.code.exitStatus)
  }

  /// Options with a stream for `math.random`.
  /// 2 GB.
  public static let standardMemoryLimit = 2 << 30

  public init(random: @escaping () -> UInt64) { self.random = random }
}
