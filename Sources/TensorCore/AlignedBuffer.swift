import Diagnostics
import Glibc

/// Floats on a 64-byte boundary, zero at first, in a whole number of 16-float vectors.
///
/// Large buffers are asked for in huge pages: one fault for each 2 MiB instead of one for each 4 KiB, which is most of
/// what a new plan costs, and fewer misses of the address cache in every pass over them.
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
    pointer = try Self.allocate(bytes: bytes)
    if bytes < Self.mappedBytes { memset(pointer, 0, bytes) }
  }

  deinit { Self.deallocate(pointer, bytes: byteCount) }

  /// Memory without an object that owns it; its numbers are anything. `bytes` is what `bytes(_:)` gives. Throws a `limit`
  /// fault when there is none.
  package static func allocate(bytes: Int) throws -> UnsafeMutablePointer<Float> {
    guard let memory = bytes >= mappedBytes ? map(bytes) : aligned_alloc(64, bytes) else {
      throw Fault(.limit, "out of memory", got: "a buffer of \(bytes) bytes", hint: "Use a smaller batch.")
    }
    return memory.bindMemory(to: Float.self, capacity: bytes / 4)
  }

  /// Gives memory of `allocate` back.
  package static func deallocate(_ pointer: UnsafeMutablePointer<Float>, bytes: Int) {
    if bytes >= mappedBytes { munmap(pointer, bytes) } else { free(pointer) }
  }

  /// The floats, as a buffer pointer. Valid as long as the buffer.
  public var floats: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  /// From this size on, a buffer has pages of its own: two huge ones.
  private static let mappedBytes = 4 << 20

  /// Zeroed pages of the system's, huge where it has them.
  private static func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { return nil }
    madvise(memory, bytes, Int32(MADV_HUGEPAGE))
    return memory
  }

  /// The memory that so many floats take, in bytes: whole vectors, at least one.
  package static func bytes(_ count: Int) -> Int { max(1, (count + 15) / 16) * 64 }
}
