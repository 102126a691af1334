import Glibc

/// Floats that end exactly where a page without access begins: one float too far and the test crashes. In front lies
/// such a page, too, and the gap up to the first float holds a pattern that `deinit` checks.
public final class GuardedBuffer {
  public let count: Int
  public let pointer: UnsafeMutablePointer<Float>
  private let mapping: UnsafeMutableRawPointer
  private let mappingSize: Int, gap: Int

  private static let page = 4096
  private static let pattern: UInt8 = 0xA5

  /// Floats that are all `value`, NaN by default so that a read before a write shows.
  public init(count: Int, value: Float = .nan) {
    self.count = count
    let bytes = count * 4, usable = (bytes + Self.page - 1) / Self.page * Self.page
    mappingSize = usable + 2 * Self.page
    mapping = mmap(nil, mappingSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    mprotect(mapping, Self.page, PROT_NONE)
    mprotect(mapping + (mappingSize - Self.page), Self.page, PROT_NONE)
    gap = usable - bytes
    memset(mapping + Self.page, Int32(Self.pattern), gap)
    pointer = (mapping + (Self.page + gap)).bindMemory(to: Float.self, capacity: count)
    pointer.initialize(repeating: value, count: count)
  }

  /// The floats of an array.
  public convenience init(_ values: [Float]) {
    self.init(count: values.count)
    for (index, value) in values.enumerated() { pointer[index] = value }
  }

  deinit {
    let bytes = UnsafeRawBufferPointer(start: mapping + Self.page, count: gap)
    precondition(bytes.allSatisfy { $0 == Self.pattern }, "something was written in front of a buffer")
    munmap(mapping, mappingSize)
  }

  /// What the buffer holds.
  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
