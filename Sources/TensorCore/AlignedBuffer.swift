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
    let bytes = Self.bytes(count), memory = try Self.take(bytes)
    pointer = memory.pointer
    if case .zeros = start, !memory.isFresh { memset(pointer, 0, bytes) }
  }

  deinit { Self.deallocate(pointer, bytes: byteCount) }

  /// Memory without an object that owns it; its numbers are anything. `bytes` is what `bytes(_:)` gives. Throws a `limit`
  /// fault when there is none.
  package static func allocate(bytes: Int) throws -> UnsafeMutablePointer<Float> { try take(bytes).pointer }

  /// Gives memory of `allocate` back.
  package static func deallocate(_ pointer: UnsafeMutablePointer<Float>, bytes: Int) {
    if bytes >= pagedBytes { PageReserve.give(pointer) } else { free(pointer) }
  }

  /// Memory of the heap, or pages, which are zero where they are fresh.
  private static func take(_ bytes: Int) throws -> (pointer: UnsafeMutablePointer<Float>, isFresh: Bool) {
    let isPaged = bytes >= pagedBytes, pages = isPaged ? PageReserve.take(bytes) : nil
    guard let memory = isPaged ? pages?.memory : aligned_alloc(64, bytes) else {
      throw Fault(.limit, "out of memory", got: "a buffer of \(bytes) bytes", hint: "Use a smaller batch.")
    }
    return (memory.bindMemory(to: Float.self, capacity: bytes / 4), pages?.isFresh ?? false)
  }

  /// The floats, as a buffer pointer. Valid as long as the buffer.
  public var floats: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  /// From this size on, a buffer has pages of its own: two huge ones.
  private static let pagedBytes = 4 << 20

  /// The memory that so many floats take, in bytes: whole vectors, at least one.
  package static func bytes(_ count: Int) -> Int { max(1, (count + 15) / 16) * 64 }
}
