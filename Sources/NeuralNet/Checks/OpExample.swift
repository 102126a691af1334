import Canonical
import Diagnostics
import TensorCore

/// One small use of an op, on which everything that the table promises of it is checked: `OpExamples` has them.
struct OpExample: Sendable {
  /// An input of the op: its shape and how its numbers are drawn.
  struct Input: Sendable {
    /// What an input's numbers are.
    enum Numbers: Sendable {
      /// Evenly spaced over a range in a random order: no two are equal, and none lies at the middle or at an end, so
      /// that functions with a corner there have a derivative.
      case spread(ClosedRange<Float>)
      /// Whole, each as likely as the others: positions, masks, labels.
      case whole(ClosedRange<Int>)
      /// The bits of int32 class labels from 0.
      case labels(classes: Int)
    }

    let shape: Shape
    let numbers: Numbers

    var type: ValueType {
      if case .labels = numbers { ValueType(shape, .int32) } else { ValueType(shape) }
    }

    /// `[N, dimensions…]`.
    static func batch(_ dimensions: [Int], in range: ClosedRange<Float> = -2...2) -> Input {
      Input(shape: .activation(dimensions), numbers: .spread(range))
    }

    /// Class labels `[N]`.
    static func labels(_ classes: Int) -> Input { Input(shape: .activation([]), numbers: .labels(classes: classes)) }

    /// An array without a batch.
    static func array(_ dimensions: [Int], in range: ClosedRange<Float> = -2...2) -> Input {
      Input(shape: .array(dimensions), numbers: .spread(range))
    }

    /// Whole numbers `[N, dimensions…]`.
    static func whole(_ dimensions: [Int], in range: ClosedRange<Int>) -> Input {
      Input(shape: .activation(dimensions), numbers: .whole(range))
    }
  }

  /// The size of the batch in every example.
  static let batch = 3

  let op: Op
  /// The activations; parameters that the op declares are drawn for it.
  let inputs: [Input]
  let attributes: [String: JSONValue]
  let mode: ExecutionMode
  /// How many derivatives finite differences can check: 2, 1 where the gradient has none, 0 where the gradient is not
  /// that of the numbers that come out (a draw's, a constant's).
  let derivatives: Int

  init(
    _ op: Op, _ inputs: [Input], _ attributes: [String: JSONValue] = [:], mode: ExecutionMode = .training,
    derivatives: Int = 2
  ) {
    self.op = op
    self.inputs = inputs
    self.attributes = attributes
    self.mode = mode
    self.derivatives = derivatives
  }

  /// What errors and reports call it: `conv2d {"kernel":3} on [N, 5, 4, 3]`.
  var description: String {
    let options = attributes.isEmpty ? "" : " \(JSONValue.object(attributes).text())"
    return "\(op.name)\(options) on \(inputs.map(\.shape.description).joined(separator: ", "))"
  }

  /// The op's attributes, complete and resolved as a graph has them.
  func resolved() throws -> OpUse {
    let given = op.role == .layer ? try Attributes.checked(attributes, for: op, path: "op") : Attributes(attributes)
    var use = OpUse(op: op, path: "op", inputs: inputs.map(\.type), attributes: given)
    use.attributes = try op.resolve(use)
    return use
  }
}

extension OpExample.Input {
  /// The numbers, dense. `place` is which of `count` inputs it is: inputs of one size have no number in common.
  func draw(from stream: inout RandomStream, place: Int, of count: Int) -> [Float] {
    let total = shape.extents(batch: OpExample.batch).reduce(1, *)
    switch numbers {
    case .labels(let classes): return (0..<total).map { _ in Float(bitPattern: UInt32(stream.uniform(below: classes))) }
    case .whole(let range):
      return (0..<total).map { _ in Float(range.lowerBound + stream.uniform(below: range.count)) }
    case .spread(let range):
      var cells = Array(0..<(total + total % 2))
      for last in cells.indices.dropFirst().reversed() { cells.swapAt(last, stream.uniform(below: last + 1)) }
      let width = (range.upperBound - range.lowerBound) / Float(cells.count)
      let offset = 0.5 * Float(place + 1) / Float(count) + (count > 1 ? 0.25 : 0)
      return cells.prefix(total).map { Self.rounded(range.lowerBound + (Float($0) + offset) * width) }
    }
  }

  /// To ten binary places: then a number and a small step from it are exact.
  static func rounded(_ value: Float) -> Float { (value * 1024).rounded() / 1024 }
}
