import Diagnostics
import TensorCore

/// Numbers that a computation on a tape takes and gives.
///
/// Users see plain dense arrays of a shape; inside, a tensor may be an activation with a batch and padded channels,
/// which is what layers run on. A tensor that was computed while the tape recorded knows the node it came from.
public final class Tensor {
  /// The bytes of a value; every handle of one value has the same.
  final class Storage {
    let type: ValueType
    /// The size of the batch; 1 for an array.
    let batch: Int
    let buffer: AlignedBuffer
    /// How often the numbers were changed in place: what a gradient needs must be what the op had.
    private(set) var version = 0
    /// What is told of the bytes, as long as they are there.
    private let memory: TapeMemory?
    /// Where the buffer goes afterwards.
    private let pool: BufferPool?

    /// All zeros.
    init(_ type: ValueType, batch: Int) throws {
      self.type = type
      self.batch = type.shape.hasBatch ? batch : 1
      (memory, pool) = (nil, nil)
      buffer = try AlignedBuffer(count: type.storageElements(batch: batch))
    }

    /// A buffer of a pool, whose numbers a kernel will write, padding lanes too.
    init(_ type: ValueType, batch: Int, from pool: BufferPool, memory: TapeMemory?) throws {
      self.type = type
      self.batch = type.shape.hasBatch ? batch : 1
      (self.memory, self.pool) = (memory, pool)
      buffer = try pool.take(count: type.storageElements(batch: batch))
      memory?.changed(buffer.byteCount + TapeMemory.objectBytes)
    }

    deinit {
      memory?.changed(-buffer.byteCount - TapeMemory.objectBytes)
      pool?.give(buffer)
    }

    /// Notes that the numbers were changed in place.
    func noteChange() { version += 1 }

    /// Whether a tape counts the bytes.
    var isCounted: Bool { memory != nil }
  }

  let storage: Storage
  /// The node that computed it, and which of the node's outputs it is; nil for one that was made from numbers.
  private(set) var producer: TapeNode?
  let output: Int
  /// Whether a gradient by this tensor can be asked for.
  public private(set) var requiresGradient: Bool
  /// The sum of the gradients of every `backward` since it was last cleared. Leaves have one.
  public var gradient: Tensor?
  /// The parameter's path, for a parameter of a model.
  public var name: String?

  init(_ storage: Storage, requiresGradient: Bool = false) {
    self.storage = storage
    self.requiresGradient = requiresGradient
    output = 0
  }

  /// A handle of a node's output.
  init(_ storage: Storage, producer: TapeNode, output: Int) {
    self.storage = storage
    self.producer = producer
    self.output = output
    requiresGradient = true
  }

  /// A tensor of dense numbers, the last dimension fastest. Throws a `recipe` fault when they don't fill the shape.
  public convenience init(_ shape: [Int], _ values: [Float], requiresGradient: Bool = false) throws {
    guard shape.allSatisfy({ $0 > 0 }), shape.reduce(1, *) == values.count else {
      throw Fault(
        .recipe, "wrong number of values for a tensor of shape \(Shape.array(shape))",
        expected: "\(shape.reduce(1, *))", got: "\(values.count)")
    }
    let storage = try Storage(ValueType(.array(shape)), batch: 1)
    storage.buffer.pointer.update(from: values, count: values.count)
    self.init(storage, requiresGradient: requiresGradient)
  }

  /// The element type and the shape as ops see them.
  public var type: ValueType { storage.type }
  /// The size of the batch; 1 for an array.
  public var batch: Int { storage.batch }
  /// The dimensions as users see them, the batch among them.
  public var shape: [Int] { (type.shape.hasBatch ? [batch] : []) + type.shape.dimensions }
  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// The memory that its numbers take.
  public var byteCount: Int { storage.buffer.byteCount }
  /// The same where its tape does not count it; see `Tape.init`.
  public var uncountedBytes: Int { storage.isCounted ? 0 : byteCount }
  /// Whether it was made from numbers, not computed by recorded ops.
  public var isLeaf: Bool { producer == nil }

  /// The numbers, dense, the last dimension fastest.
  public var values: [Float] {
    let channels = type.shape.channels, stride = rowStride, rows = count / max(1, channels)
    return [Float](unsafeUninitializedCapacity: count) { dense, filled in
      guard let target = dense.baseAddress else { return }
      for row in 0..<rows {
        target.advanced(by: row &* channels).update(
          from: storage.buffer.pointer.advanced(by: row &* stride), count: channels)
      }
      filled = count
    }
  }

  /// Replaces the numbers in place. A gradient that needs the old ones throws from then on.
  public func set(_ values: [Float]) throws {
    guard values.count == count else {
      throw Fault(
        .recipe, "wrong number of values for a tensor", path: name, expected: "\(count)", got: "\(values.count)")
    }
    storage.noteChange()
    let channels = type.shape.channels, stride = rowStride
    values.withUnsafeBufferPointer { dense in
      guard let source = dense.baseAddress else { return }
      for row in 0..<(count / max(1, channels)) {
        storage.buffer.pointer.advanced(by: row &* stride).update(
          from: source.advanced(by: row &* channels), count: channels)
      }
    }
  }

  /// A tensor of one number in the shape of another, without history.
  public static func filled(like other: Tensor, _ value: Float) throws -> Tensor {
    let tensor = Tensor(try Storage(other.type, batch: other.batch))
    try tensor.set([Float](repeating: value, count: other.count))
    return tensor
  }

  /// The only number. Throws a `recipe` fault for a tensor of more.
  public func item() throws -> Float {
    guard count == 1 else {
      throw Fault(.recipe, "item: wrong shape", expected: "a tensor of one element", got: "\(Shape.array(shape))")
    }
    return storage.buffer.pointer[0]
  }

  /// The same numbers without their history: no gradient goes through it.
  public func detached() -> Tensor { Tensor(storage) }

  /// Whether a change of the one's numbers is a change of the other's.
  public func sharesNumbers(with other: Tensor) -> Bool { storage === other.storage }

  /// What gradients are summed by: the node's output, or the leaf itself.
  var key: TensorKey {
    TensorKey(object: producer.map { ObjectIdentifier($0) } ?? ObjectIdentifier(self), output: output)
  }

  private var rowStride: Int {
    type.shape.hasBatch && !type.shape.dimensions.isEmpty ? paddedChannels(type.shape.channels) : type.shape.channels
  }

  /// Gives up the producer: for releasing long histories step by step.
  func releaseProducer() -> TapeNode? {
    defer { producer = nil }
    return producer
  }
}

/// Who is told of the memory of what a tape computes.
final class TapeMemory {
  /// About what the objects of one value, or of one node, take besides numbers.
  static let objectBytes = 256
  /// Takes how many bytes there are more, or less.
  let changed: (Int) -> Void

  init(_ changed: @escaping (Int) -> Void) { self.changed = changed }
}

/// Which value a tensor is, whatever its handle.
struct TensorKey: Hashable {
  let object: ObjectIdentifier
  let output: Int
}
