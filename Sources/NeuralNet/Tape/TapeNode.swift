import Diagnostics
import Synchronization

/// One recorded computation.
///
/// It keeps its inputs with their history, and its outputs' numbers without handles, so that there is no cycle.
final class TapeNode {
  private static let clock = Atomic<Int>(0)

  /// When the node was recorded: its inputs come from earlier nodes.
  let time = TapeNode.now()
  /// What was computed: an op, or else a function.
  let operation: TapeOperation?
  let function: (any TapeFunction)?
  /// While a history is gathered, what is known of the node: -2 once it was seen, then -1, and 0 where it leads to a
  /// target.
  var mark = -1
  /// The slot of the first output in the history that was chosen from last, and that history's number.
  var firstSlot = -1
  var history = 0
  private(set) var inputs: [Tensor]
  /// The first output, and the others.
  private let output: Tensor.Storage
  private let others: [Tensor.Storage]
  /// What is told of the memory that the node takes besides its tensors', as long as it is there.
  private let memory: TapeMemory
  private let byteCount: Int

  init(
    _ operation: TapeOperation, inputs: [Tensor], output: Tensor.Storage, others: [Tensor.Storage] = [],
    memory: TapeMemory
  ) {
    (self.operation, function) = (operation, nil)
    (self.inputs, self.output, self.others) = (inputs, output, others)
    (self.memory, byteCount) = (memory, TapeMemory.objectBytes)
    memory.count(byteCount)
  }

  init(_ function: any TapeFunction, inputs: [Tensor], output: Tensor.Storage, memory: TapeMemory) {
    (operation, self.function) = (nil, function)
    (self.inputs, self.output, others) = (inputs, output, [])
    (self.memory, byteCount) = (memory, TapeMemory.objectBytes + function.byteCount)
    memory.count(byteCount)
  }

  deinit {
    memory.count(-byteCount)
    // Only the memory has them then: what is released inside of a release would take a stack frame each.
    let last = inputs
    inputs = []
    memory.release(consume last)
  }

  /// The next time of the clock that orders nodes and changes in place.
  static func now() -> Int { clock.add(1, ordering: .relaxed).newValue }

  var outputCount: Int { 1 + others.count }

  /// Calls `body` with each input: the node has it, so that it needs no reference count here.
  @inline(__always)
  func forEachInput(_ body: (Tensor) -> Void) {
    inputs.withUnsafeBytes { inputs in
      for input in inputs.bindMemory(to: Unmanaged<Tensor>.self) { input._withUnsafeGuaranteedRef(body) }
    }
  }

  /// The numbers of an output.
  func storage(_ output: Int) -> Tensor.Storage { output == 0 ? self.output : others[output - 1] }

  /// A handle of an output, with this history.
  func tensor(_ output: Int) -> Tensor { Tensor(storage(output), producer: self, output: output) }

  /// Throws a `recipe` fault unless the inputs, and outputs after them, that are `read` have the numbers that they had.
  func checkUnchanged(_ read: [Bool], by name: @autoclosure () -> String) throws {
    for index in 0..<min(read.count, inputs.count + outputCount) where read[index] {
      let isInput = index < inputs.count
      guard (isInput ? inputs[index].storage : storage(index - inputs.count)).changed > time else { continue }
      throw changed(index, by: name())
    }
  }

  /// The fault of a value that isn't what it was: an input, or an output after them.
  private func changed(_ index: Int, by name: String) -> Fault {
    let isInput = index < inputs.count, what = isInput ? "input \(index + 1)" : "the result"
    let storage = isInput ? inputs[index].storage : storage(index - inputs.count)
    return Fault(
      .recipe, "a tensor that the gradient needs was changed in place after it was used",
      path: isInput ? inputs[index].name : nil, expected: "\(what) of \(name) as it was then",
      got: "\(Shape.array(Tensor(storage).shape)), changed by tensor:set or an optimiser's step",
      hint: "Take all gradients before the change, or compute again what depends on the tensor.")
  }

  /// What gradients of an output are summed by.
  func key(of output: Int) -> TensorKey { TensorKey(object: ObjectIdentifier(self), output: output) }
}

/// A computation on a tape with a gradient of its own: a compiled plan, for example.
protocol TapeFunction: AnyObject {
  /// The memory that it keeps for its gradient, besides the inputs and outputs of its node.
  var byteCount: Int { get }
  /// The gradients of the inputs for the gradient of the output, as arrays or as batches; nil where an input has none or
  /// isn't `wanted`.
  func gradients(_ outputGradient: Tensor, wanted: [Bool]) throws -> [Tensor?]
  /// The same as computations on the tape, so that the gradients have gradients. `node` is the function's own.
  func gradients(_ outputGradient: Tensor, wanted: [Bool], of node: TapeNode, on tape: Tape) throws -> [Tensor?]
}
