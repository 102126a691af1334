import TensorCore

/// One use of an op once the batch size is known: what its kernel is prepared from.
struct KernelSite {
  let inputs: [ValueType]
  let outputs: [ValueType]
  /// Whether somebody reads each output; a kernel need not compute one that nobody reads.
  let isRead: [Bool]
  let attributes: Attributes
  let batch: Int
  let compute: Compute
  let precision: ExecutionMode.Precision
  /// The key of the node's random numbers, drawn from the stream that carries its path.
  let randomKey: UInt64

  /// An image input or output with its batch.
  func image(_ type: ValueType) -> ImageShape {
    ImageShape(n: batch, h: type.shape.height, w: type.shape.width, c: type.shape.channels)
  }
  /// The rows of `channels` elements in an activation.
  func rows(_ type: ValueType) -> Int { type.shape.rows(batch: batch) }
  /// The elements of a buffer, padding included.
  func elements(_ type: ValueType) -> Int { type.storageElements(batch: batch) }
}

/// A computation with its sizes fixed: it runs on pointers, allocates nothing and keeps no state but what it prepares.
struct Kernel {
  /// Work on the parameters alone, done again only when they have changed.
  struct Preparation {
    /// Memory that it fills, kept from run to run.
    let floats: Int
    let run: (KernelArguments) -> Void
  }

  /// Scratch memory it needs while it runs, in floats.
  var scratchFloats = 0
  var preparation: Preparation?
  let run: (KernelArguments) throws -> Void
}

/// The buffers of one run of a kernel, in the order of the node's inputs and outputs.
struct KernelArguments {
  let inputs: UnsafeMutablePointer<UnsafeMutableRawPointer>
  let outputs: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// How many inputs there are: for a sum on a path, only those that are present.
  let inputCount: Int
  let scratch: UnsafeMutablePointer<Float>
  /// The number of the training step (from 0), or of the batch in a recalibration: what dropout and running averages
  /// depend on.
  let step: Int
  /// The memory of the kernel's preparation.
  let prepared: UnsafeMutablePointer<Float>

  func input(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(inputs[index].assumingMemoryBound(to: Float.self)) }
  /// An input that the op updates.
  func state(_ index: Int) -> UnsafeMutablePointer<Float> { inputs[index].assumingMemoryBound(to: Float.self) }
  func integers(_ index: Int) -> UnsafePointer<Int32> {
    UnsafePointer(inputs[index].assumingMemoryBound(to: Int32.self))
  }
  func output(_ index: Int) -> UnsafeMutablePointer<Float> { outputs[index].assumingMemoryBound(to: Float.self) }
  func integerOutput(_ index: Int) -> UnsafeMutablePointer<Int32> {
    outputs[index].assumingMemoryBound(to: Int32.self)
  }
}
