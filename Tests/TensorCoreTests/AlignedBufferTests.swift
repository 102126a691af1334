import TensorCore
import Testing

@Suite struct AlignedBufferTests {
  /// Small ones, those with pages of their own, and sizes around a power of two of bytes.
  @Test(arguments: [0, 1, 17, 1 << 20, (1 << 20) + 1, 3 << 20, (4 << 20) - 16, 4 << 20])
  func zerosInMemoryThatWasUsed(count: Int) throws {
    for _ in 0..<3 {
      let buffers = try (0..<2).map { _ in try AlignedBuffer(count: count) }
      for buffer in buffers {
        #expect(UInt(bitPattern: buffer.pointer) % 64 == 0 && buffer.byteCount >= 4 * count)
        #expect(buffer.floats.allSatisfy { $0.bitPattern == 0 })
        buffer.floats.update(repeating: .nan)
      }
    }
  }

  @Test func everyFloatOfALargeBufferCanBeWritten() throws {
    // Each takes what the one before left, and then more.
    for megabytes in [4, 9, 5, 33, 17, 64, 8] {
      let buffer = try AlignedBuffer(count: megabytes << 18, start: .anything)
      for index in stride(from: 0, to: buffer.count, by: 512) { buffer.floats[index] = Float(index) }
      buffer.floats[buffer.count - 1] = 1
      #expect(stride(from: 0, to: buffer.count - 1, by: 512).allSatisfy { buffer.floats[$0] == Float($0) })
    }
  }

  /// What is small doesn't take the memory that a large network has left for the next one.
  @Test func freeMemoryIsTakenByWhatNeedsAboutAsMuch() {
    let mega = 1 << 20
    var reserve = PageReserve.State(free: [64 * mega, 20 * mega, 24 * mega])
    #expect(reserve.takeFree(8 * mega) == nil)
    #expect(reserve.takeFree(12 * mega)?.bytes == 20 * mega)
    #expect(reserve.takeFree(12 * mega)?.bytes == 24 * mega)
    #expect(reserve.takeFree(12 * mega) == nil)
    #expect(reserve.takeFree(65 * mega) == nil)
    #expect(reserve.takeFree(64 * mega)?.bytes == 64 * mega)
  }

  @Test func buffersThatLiveTogetherDoNotMeet() throws {
    let buffers = try (1...6).map { try AlignedBuffer(count: $0 << 20, start: .anything) }
    for (index, buffer) in buffers.enumerated() { buffer.floats.update(repeating: Float(index)) }
    for (index, buffer) in buffers.enumerated() { #expect(buffer.floats.allSatisfy { $0 == Float(index) }) }
  }
}
