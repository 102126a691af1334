import Diagnostics
import TensorCore

/// Numbers that a computation on a tape takes and gives.
///
/// Users see plain dense arrays of a shape; inside, a tensor may be an activation with a batch and padded channels,
/// which is what layers run on. A tensor that was computed while the tape recorded knows the node it came from.
public final class Tensor {
  /// The numbers of a value; every handle of one value has the same.
  final class Storage {
    let form: TensorForm
    /// The first number. Valid as long as the storage.
    let pointer: UnsafeMutablePointer<Float>
    /// When the numbers were changed in place last, on the clock that orders nodes; 0: never. What a gradient needs must
    /// be what the op had.
    private(set) var changed = 0
    /// The tape's memory that the numbers are a block of; nil for numbers that no tape computed.
    private let memory: TapeMemory?

    /// All zeros.
    init(_ form: TensorForm) throws {
      self.form = form
      memory = nil
      pointer = try AlignedBuffer.allocate(bytes: form.byteCount)
      pointer.update(repeating: 0, count: form.byteCount / 4)
    }

    /// A block of a tape's memory: what a kernel will write, padding lanes too, or has written.
    init(_ form: TensorForm, block: UnsafeMutablePointer<Float>, of memory: TapeMemory) {
      (self.form, pointer, self.memory) = (form, block, memory)
      memory.count(TapeMemory.objectBytes)
    }

    deinit {
      guard let memory else { return AlignedBuffer.deallocate(pointer, bytes: form.byteCount) }
      memory.count(-TapeMemory.objectBytes)
      memory.give(pointer, form.byteCount)
    }

    /// Notes that the numbers were changed in place.
    func noteChange() { changed = TapeNode.now() }

    /// Whether a tape counts the bytes.
    var isCounted: Bool { memory != nil }
  }

  let storage: Storage
  /// The node that computed it, and which of the node's outputs it is; nil for one that was made from numbers.
  let producer: TapeNode?
  let output: Int
  /// Whether a gradient by this tensor can be asked for.
  public let requiresGradient: Bool
  /// While gradients are computed, the place of the gradient by this leaf; -1 where it isn't asked for.
  var place = -1
  /// The sum of the gradients of every `backward` since it was last cleared. Leaves have one.
  public var gradient: Tensor?
  /// The parameter's path, for a parameter of a model.
  public var name: String?

  init(_ storage: Storage, requiresGradient: Bool = false) {
    self.storage = storage
    self.requiresGradient = requiresGradient
    producer = nil
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
    let storage = try Storage(TensorForm.of(ValueType(.array(shape)), batch: 1))
    storage.pointer.update(from: values, count: values.count)
    self.init(storage, requiresGradient: requiresGradient)
  }

  /// The element type and the shape as ops see them.
  public var type: ValueType { storage.form.type }
  /// The size of the batch; 1 for an array.
  public var batch: Int { storage.form.batch }
  /// The dimensions as users see them, the batch among them.
  public var shape: [Int] { (type.shape.hasBatch ? [batch] : []) + type.shape.dimensions }
  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
  /// The memory that its numbers take.
  public var byteCount: Int { storage.form.byteCount }
  /// The same where its tape does not count it; see `Tape.init`.
  public var uncountedBytes: Int { storage.isCounted ? 0 : byteCount }
  /// Whether it was made from numbers, not computed by recorded ops.
  public var isLeaf: Bool { producer == nil }

  /// The numbers, dense, the last dimension fastest.
  public var values: [Float] {
    [Float](unsafeUninitializedCapacity: count) { dense, filled in
      guard var target = dense.baseAddress else { return }
      forEachRow { row, channels in
        target.update(from: row, count: channels)
        target += channels
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
    values.withUnsafeBufferPointer { dense in
      guard var source = dense.baseAddress else { return }
      forEachRow { row, channels in
        row.update(from: source, count: channels)
        source += channels
      }
    }
  }

  /// A tensor of one number in the shape of another, without history.
  public static func filled(like other: Tensor, _ value: Float) throws -> Tensor {
    let tensor = Tensor(try Storage(other.storage.form))
    tensor.forEachRow { row, channels in row.update(repeating: value, count: channels) }
    return tensor
  }

  /// Calls `body` with each row of the numbers and how many there are before the padding lanes.
  private func forEachRow(_ body: (UnsafeMutablePointer<Float>, Int) -> Void) {
    let channels = type.shape.channels, stride = type.shape.rowStride
    for row in 0..<(count / max(1, channels)) { body(storage.pointer.advanced(by: row &* stride), channels) }
  }

  /// The only number. Throws a `recipe` fault for a tensor of more.
  public func item() throws -> Float {
    guard count == 1 else {
      throw Fault(.recipe, "item: wrong shape", expected: "a tensor of one element", got: "\(Shape.array(shape))")
    }
    return storage.pointer[0]
  }

  /// The same numbers without their history: no gradient goes through it.
  public func detached() -> Tensor { Tensor(storage) }

  /// Whether a change of the one's numbers is a change of the other's.
  public func sharesNumbers(with other: Tensor) -> Bool { storage === other.storage }

  /// What gradients are summed by: the node's output, or the leaf itself.
  var key: TensorKey {
    TensorKey(object: producer.map { ObjectIdentifier($0) } ?? ObjectIdentifier(self), output: output)
  }
}

/// Which value a tensor is, whatever its handle.
struct TensorKey: Hashable {
  let object: ObjectIdentifier
  let output: Int
}
