import Diagnostics
import Glibc

/// Floats on a 64-byte boundary in a whole number of 16-float vectors.
///
/// Large buffers are asked for in huge pages: one fault for each 2 MiB instead of one for each 4 KiB, and fewer misses of
/// the address cache in every pass over them. The pages of those that are gone are used again (`PageReserve`).
public final class AlignedBuffer: @unchecked Sendable {
  /// What the floats are at first.
  public enum Start: Sendable {
    case zeros
    /// Whatever was there before.
    case anything
  }

  /// The floats asked for.
  public let count: Int
  /// The first float. Valid as long as the buffer.
  public let pointer: UnsafeMutablePointer<Float>

  /// The memory taken, in bytes: whole vectors, at least one.
  public var byteCount: Int { Self.bytes(count) }

  /// Allocates `count` floats, zeros unless said otherwise. Throws a `limit` fault when there is no memory.
  public init(count: Int, start: Start = .zeros) throws {
    self.count = count
    let bytes = Self.bytes(count), isPaged = bytes >= Self.pagedBytes, pages = isPaged ? PageReserve.take(bytes) : nil
    guard let memory = isPaged ? pages?.memory : aligned_alloc(64, bytes) else {
      throw Fault(.limit, "out of memory", got: "a buffer of \(bytes) bytes", hint: "Use a smaller batch.")
    }
    if case .zeros = start, pages?.isFresh != true { memset(memory, 0, bytes) }
    pointer = memory.bindMemory(to: Float.self, capacity: bytes / 4)
  }

  deinit {
    if byteCount >= Self.pagedBytes { PageReserve.give(pointer) } else { free(pointer) }
  }

  /// The floats, as a buffer pointer. Valid as long as the buffer.
  public var floats: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  /// From this size on, a buffer has pages of its own: two huge ones.
  private static let pagedBytes = 4 << 20

  private static func bytes(_ count: Int) -> Int { max(1, (count + 15) / 16) * 64 }
}
