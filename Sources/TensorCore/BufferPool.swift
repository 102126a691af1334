/// Buffers that are used again by size: what a tape allocates for each value, and what its history gives back.
///
/// A pool serves one thread. It keeps a bounded amount; what comes back beyond it is freed.
public final class BufferPool {
  private var free: [Int: [AlignedBuffer]] = [:]
  private var keptBytes = 0
  private let mostBytes: Int

  /// - Parameter mostBytes: the most memory that free buffers may take.
  public init(mostBytes: Int) { self.mostBytes = mostBytes }

  /// A buffer for `count` floats, whose numbers don't matter. Throws a `limit` fault when there is no memory.
  public func take(count: Int) throws -> AlignedBuffer {
    if let buffer = free[count]?.popLast() {
      keptBytes -= buffer.byteCount
      return buffer
    }
    return try AlignedBuffer(count: count, start: .anything)
  }

  /// Gives a buffer back that nobody reads any more.
  public func give(_ buffer: AlignedBuffer) {
    guard keptBytes + buffer.byteCount <= mostBytes else { return }
    keptBytes += buffer.byteCount
    free[buffer.count, default: []].append(buffer)
  }
}
