import TensorCore

/// Blocks of memory with a count of their uses, for the gradients of one way back through a history.
struct GradientBlocks {
  private struct Block {
    let pointer: UnsafeMutablePointer<Float>
    let bytes: Int
    var uses: Int
  }

  let memory: TapeMemory
  private var blocks: [Block] = []

  init(_ memory: TapeMemory) { self.memory = memory }

  var count: Int { blocks.count }

  /// A block with one use, whose numbers don't matter.
  mutating func take(_ bytes: Int) throws -> Int {
    blocks.append(Block(pointer: try memory.take(bytes), bytes: bytes, uses: 1))
    return blocks.count - 1
  }

  /// A block with one use and these numbers.
  mutating func copy(_ numbers: UnsafePointer<Float>, _ bytes: Int) throws -> Int {
    let block = try take(bytes)
    blocks[block].pointer.update(from: numbers, count: bytes / 4)
    return block
  }

  func pointer(_ block: Int) -> UnsafeMutablePointer<Float> { blocks[block].pointer }

  mutating func use(_ block: Int) { blocks[block].uses += 1 }

  /// Ends a use. After its last one a block is anybody's.
  mutating func release(_ block: Int) {
    blocks[block].uses -= 1
    if blocks[block].uses == 0 { memory.give(blocks[block].pointer, blocks[block].bytes) }
  }

  /// The numbers as a value's of its own: the block itself where nobody else uses it. Ends the use.
  mutating func storage(_ form: TensorForm, from block: Int) throws -> Tensor.Storage {
    let own = blocks[block].uses == 1 ? block : try copy(blocks[block].pointer, blocks[block].bytes)
    if own != block { release(block) }
    blocks[own].uses = 0
    return Tensor.Storage(form, block: blocks[own].pointer, of: memory)
  }

  /// Gives everything back that is still in use.
  mutating func releaseAll() {
    for block in blocks where block.uses > 0 { memory.give(block.pointer, block.bytes) }
    blocks.removeAll(keepingCapacity: true)
  }
}
