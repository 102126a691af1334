/// Places buffers of known lifetimes in one block of memory, so that buffers alive together don't overlap.
///
/// Largest first, each at the lowest offset where it fits among those placed before (greedy by size: Pisarchyk & Lee
/// 2020, "Efficient Memory Management for Deep Neural Net Inference").
struct Placement {
  /// A buffer: its size in floats, the first and last step that needs it, and on which paths through choices.
  struct Buffer: Sendable {
    let floats: Int
    let first: Int
    var last: Int
    var condition: PathConditions.Condition = [:]

    /// Whether both are needed at the same time.
    func meets(_ other: Buffer) -> Bool {
      other.first <= last && first <= other.last && !PathConditions.exclude(condition, other.condition)
    }
  }

  /// For each buffer, its offset in floats: a multiple of 16.
  private(set) var offsets: [Int]
  /// The size of the block.
  private(set) var floats = 0

  init(_ buffers: [Buffer]) {
    offsets = [Int](repeating: 0, count: buffers.count)
    var placed: [Int] = []
    let order = buffers.indices.sorted { (buffers[$1].floats, $0) < (buffers[$0].floats, $1) }
    for index in order {
      let buffer = buffers[index], size = roundedToVectors(buffer.floats)
      var offset = 0
      for other in placed where buffer.meets(buffers[other]) {
        if offset + size <= offsets[other] { break }
        offset = max(offset, offsets[other] + roundedToVectors(buffers[other].floats))
      }
      offsets[index] = offset
      floats = max(floats, offset + size)
      let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
      placed.insert(index, at: position)
    }
  }
}
