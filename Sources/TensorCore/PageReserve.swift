import Glibc
import Synchronization

/// Memory in pages of its own that buffers have given back, for the next ones: a page that the process touches for the
/// first time costs a fault and the time in which the system clears it. A search that makes a plan for each architecture
/// would pay it for every one of them, an eighth of a first training step.
///
/// What is kept and what is in use are never more together than was once in use at the same time.
package enum PageReserve {
  /// Addresses, of which only what was touched takes memory.
  package struct Block {
    let start: UInt
    package let bytes: Int

    fileprivate var memory: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: start) }
  }

  package struct State {
    /// The oldest first.
    fileprivate var free: [Block]
    fileprivate var freeBytes: Int
    /// The sizes of the blocks in use, by where they start.
    fileprivate var used: [UInt: Int] = [:]
    fileprivate var usedBytes = 0, mostUsedBytes = 0

    /// One with free blocks of these sizes.
    package init(free sizes: [Int] = []) {
      free = sizes.map { Block(start: 0, bytes: $0) }
      freeBytes = sizes.reduce(0, +)
    }
  }

  private static let state = Mutex(State())
  /// Beyond it memory goes back to the system at once.
  private static let mostFreeBytes = 1 << 30

  /// At least that many bytes, zero where `isFresh`; nil when there is no memory.
  static func take(_ bytes: Int) -> (memory: UnsafeMutableRawPointer, isFresh: Bool)? {
    let size = blockBytes(bytes)
    return state.withLock { state in
      let kept = state.takeFree(size)
      guard let block = kept ?? map(size) ?? (state.shrink(to: 0) ? map(size) : nil), let memory = block.memory else {
        return nil
      }
      state.used[block.start] = block.bytes
      state.usedBytes += block.bytes
      state.mostUsedBytes = max(state.mostUsedBytes, state.usedBytes)
      _ = state.shrink(to: state.mostUsedBytes - state.usedBytes)
      return (memory, kept == nil)
    }
  }

  /// Takes memory back that nobody uses any more.
  static func give(_ memory: UnsafeMutableRawPointer) {
    state.withLock { state in
      let start = UInt(bitPattern: memory)
      guard let bytes = state.used.removeValue(forKey: start) else { return }
      state.usedBytes -= bytes
      state.freeBytes += bytes
      state.free.append(Block(start: start, bytes: bytes))
      _ = state.shrink(to: min(mostFreeBytes, state.mostUsedBytes - state.usedBytes))
    }
  }

  /// A quarter of a power of two too much at most, so that networks that are much alike take each other's memory, and
  /// whole huge pages, which the system aligns.
  private static func blockBytes(_ bytes: Int) -> Int {
    let step = max(1 << 21, 1 << (Int.bitWidth - 3 - max(1, bytes).leadingZeroBitCount))
    return (bytes + step - 1) / step * step
  }

  /// Zeroed pages of the system's, huge where it has them.
  private static func map(_ bytes: Int) -> Block? {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else { return nil }
    madvise(memory, bytes, Int32(MADV_HUGEPAGE))
    return Block(start: UInt(bitPattern: memory), bytes: bytes)
  }
}

extension PageReserve.State {
  /// The smallest block that has so many bytes, and not more than twice as many: weights must not sit in what was the
  /// memory of a large network, of which the next one would take as much once more.
  package mutating func takeFree(_ bytes: Int) -> PageReserve.Block? {
    let fitting = free.indices.filter { (bytes...2 * bytes).contains(free[$0].bytes) }
    guard let index = fitting.min(by: { free[$0].bytes < free[$1].bytes }) else { return nil }
    freeBytes -= free[index].bytes
    return free.remove(at: index)
  }

  /// Gives the oldest blocks back to the system until no more than so many bytes are kept. Returns whether any went.
  fileprivate mutating func shrink(to bytes: Int) -> Bool {
    let before = freeBytes
    while freeBytes > bytes, let block = free.first {
      free.removeFirst()
      freeBytes -= block.bytes
      munmap(block.memory, block.bytes)
    }
    return freeBytes < before
  }
}
