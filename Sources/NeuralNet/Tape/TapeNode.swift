import Diagnostics
import Synchronization

/// One recorded computation.
///
/// It keeps its inputs with their history, and its outputs' numbers without handles, so that there is no cycle.
final class TapeNode {
  /// What was computed.
  enum Computation {
    case operation(TapeOperation)
    case function(any TapeFunction)
  }

  private static let count = Atomic<Int>(0)

  /// Grows with every node: a node's inputs come from nodes of smaller numbers.
  let order = TapeNode.count.add(1, ordering: .relaxed).newValue
  let computation: Computation
  /// Where the node is in the history that is being gone through; what it was in another means nothing.
  var position = -1
  private(set) var inputs: [Tensor]
  private(set) var outputs: [Tensor.Storage] = []
  /// The versions of the numbers of inputs and outputs, as they were; empty where all were the first.
  private let versions: [Int]
  /// What is told of the memory that the node takes besides its tensors', as long as it is there.
  private let memory: TapeMemory?
  private let byteCount: Int

  init(_ computation: Computation, inputs: [Tensor], outputs: [Tensor.Storage], memory: TapeMemory?) {
    var bytes = TapeMemory.objectBytes
    if case .function(let function) = computation { bytes += function.byteCount }
    (self.memory, byteCount) = (memory, bytes)
    self.computation = computation
    self.inputs = inputs
    self.outputs = outputs
    versions = Self.versions(inputs, outputs)
    memory?.changed(bytes)
  }

  /// Throws a `recipe` fault unless the inputs, and outputs after them, that are `read` have the numbers that they had.
  func checkUnchanged(_ read: [Bool], by name: String) throws {
    if versions.isEmpty, Self.versions(inputs, outputs).isEmpty { return }
    let storages = inputs.map(\.storage) + outputs
    for (index, storage) in storages.prefix(read.count).enumerated()
    where read[index] && storage.version != (versions.isEmpty ? 0 : versions[index]) {
      let what = index < inputs.count ? "input \(index + 1)" : "the result"
      throw Fault(
        .recipe, "a tensor that the gradient needs was changed in place after it was used",
        path: index < inputs.count ? inputs[index].name : nil, expected: "\(what) of \(name) as it was then",
        got: "\(Shape.array(tensor(at: index).shape)), changed by tensor:set or an optimiser's step",
        hint: "Take all gradients before the change, or compute again what depends on the tensor.")
    }
  }

  /// The versions of inputs and outputs; none where all are the first, as those of most are.
  private static func versions(_ inputs: [Tensor], _ outputs: [Tensor.Storage]) -> [Int] {
    let areFirst = inputs.allSatisfy { $0.storage.version == 0 } && outputs.allSatisfy { $0.version == 0 }
    return areFirst ? [] : inputs.map(\.storage.version) + outputs.map(\.version)
  }

  /// An input, or an output after them.
  private func tensor(at index: Int) -> Tensor {
    index < inputs.count ? inputs[index] : Tensor(outputs[index - inputs.count])
  }

  /// A handle of an output, with this history.
  func tensor(_ output: Int) -> Tensor { Tensor(outputs[output], producer: self, output: output) }

  /// What gradients of an output are summed by.
  func key(of output: Int) -> TensorKey { TensorKey(object: ObjectIdentifier(self), output: output) }

  /// Releases a chain of nodes one after the other: a recursion would take a stack frame for each.
  deinit {
    memory?.changed(-byteCount)
    var open = inputs
    inputs = []
    while var tensor = open.popLast() {
      guard isKnownUniquelyReferenced(&tensor), var node = tensor.releaseProducer(),
        isKnownUniquelyReferenced(&node)
      else { continue }
      open += node.inputs
      node.inputs = []
    }
  }
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
