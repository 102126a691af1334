import TensorCore

/// The memory of what a tape computes: blocks that are used again by size, and a count of what is held.
///
/// A tape's memory serves one thread. It keeps a bounded amount that is free; what comes back beyond it goes to the
/// system.
final class TapeMemory {
  /// About what the objects of one value, or of one node, take besides numbers.
  static let objectBytes = 256
  /// The most bytes of free blocks.
  private static let mostFree = 1 << 28
  /// Blocks of up to so many vectors are found by their size alone.
  private static let smallVectors = 256
  /// Changes are told when there are so many bytes of them.
  private static let reportedBytes = 1 << 16

  /// Takes how many bytes there are more, or less.
  private let changed: ((Int) -> Void)?
  private var untold = 0
  /// For each small size, the first free block; each free block begins with the address of the next.
  private let small: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private var large: [Int: [UnsafeMutablePointer<Float>]] = [:]
  private var freeBytes = 0
  /// The inputs of nodes that are gone, while they are being released.
  private var dying: [[Tensor]] = []
  private var isReleasing = false

  init(_ changed: ((Int) -> Void)?) {
    self.changed = changed
    small = .allocate(capacity: Self.smallVectors + 1)
    small.initialize(repeating: nil, count: Self.smallVectors + 1)
  }

  deinit {
    for vectors in 0...Self.smallVectors {
      while let block = popSmall(vectors) { AlignedBuffer.deallocate(block, bytes: vectors * 64) }
    }
    small.deallocate()
    for (bytes, blocks) in large { for block in blocks { AlignedBuffer.deallocate(block, bytes: bytes) } }
    tell()
  }

  /// A block of whole vectors, whose numbers don't matter. Throws a `limit` fault when there is no memory.
  func take(_ bytes: Int) throws -> UnsafeMutablePointer<Float> {
    let vectors = bytes / 64
    let known = vectors <= Self.smallVectors ? popSmall(vectors) : large[bytes]?.popLast()
    let block = try known ?? AlignedBuffer.allocate(bytes: bytes)
    if known != nil { freeBytes -= bytes }
    count(bytes)
    return block
  }

  /// Takes a block back that nobody reads any more.
  func give(_ block: UnsafeMutablePointer<Float>, _ bytes: Int) {
    count(-bytes)
    guard freeBytes + bytes <= Self.mostFree else { return AlignedBuffer.deallocate(block, bytes: bytes) }
    freeBytes += bytes
    let vectors = bytes / 64
    if vectors <= Self.smallVectors {
      let raw = UnsafeMutableRawPointer(block)
      raw.storeBytes(of: small[vectors], as: UnsafeMutableRawPointer?.self)
      small[vectors] = raw
    } else {
      large[bytes, default: []].append(block)
    }
  }

  private func popSmall(_ vectors: Int) -> UnsafeMutablePointer<Float>? {
    guard let block = small[vectors] else { return nil }
    small[vectors] = block.load(as: UnsafeMutableRawPointer?.self)
    return block.assumingMemoryBound(to: Float.self)
  }

  /// Counts bytes that are there besides blocks, or no more.
  func count(_ bytes: Int) {
    untold += bytes
    if untold.magnitude >= Self.reportedBytes { tell() }
  }

  /// Tells of the changes since the last time.
  func tell() {
    let bytes = untold
    untold = 0
    if bytes != 0 { changed?(bytes) }
  }

  /// Releases the inputs of a node that is gone, and the history behind them node by node.
  func release(_ inputs: consuming [Tensor]) {
    if isReleasing { return dying.append(inputs) }
    isReleasing = true
    inputs = []
    while let next = dying.popLast() { _ = consume next }
    isReleasing = false
  }
}
