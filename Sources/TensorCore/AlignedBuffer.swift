import Diagnostics
import Glibc

/// Floats on a 64-byte boundary, zero at first, in a whole number of 16-float vectors.
public final class AlignedBuffer: @unchecked Sendable {
  /// The floats asked for.
  public let count: Int
  /// The first float. Valid as long as the buffer.
  public let pointer: UnsafeMutablePointer<Float>

  /// The memory taken, in bytes: whole vectors, at least one.
  public var byteCount: Int { Self.bytes(count) }

  /// Allocates `count` zeros. Throws a `limit` fault when there is no memory.
  public init(count: Int) throws {
    self.count = count
    let bytes = Self.bytes(count)
    guard let memory = aligned_alloc(64, bytes) else {
      throw Fault(.limit, "out of memory", got: "a buffer of \(bytes) bytes", hint: "Use a smaller batch.")
    }
    memset(memory, 0, bytes)
    pointer = memory.bindMemory(to: Float.self, capacity: bytes / 4)
  }

  deinit { free(pointer) }

  /// The floats, as a buffer pointer. Valid as long as the buffer.
  public var floats: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  private static func bytes(_ count: Int) -> Int { max(1, (count + 15) / 16) * 64 }
}
