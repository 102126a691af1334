import CKernels
import Canonical
import Diagnostics
import TensorCore

extension Op {
  /// One step of a long short-term memory with its product: `x, h, c, weight, bias -> h', c', gates, joined`, where
  /// `joined = [x, h]` and `gates = joined · weight + bias` are kept for the gradient; then `lstm_cell`.
  static let lstmStep: Op = Op(
    "lstm_step", "A step of a long short-term memory from its input.", role: .derived, arity: .exactly(5),
    paddingLanes: .none,
    infer: { use in
      let shapes = use.inputs.map(\.shape)
      guard let step = LSTMShapes(shapes) else {
        throw use.fault(
          "the shapes don't fit", expected: "[N, I], [N, H], [N, H], [I + H, 4 · H], [4 · H]",
          got: shapes.map(\.description).joined(separator: ", "))
      }
      let gates = Shape.array([step.rows, 4 * step.hidden]), joined = Shape.array([step.rows, step.depth])
      return [use.inputs[1], use.inputs[2], ValueType(gates), ValueType(joined)]
    },
    kernel: { site in
      guard let step = LSTMShapes(site.inputs.map(\.shape)) else {
        throw Fault(.internal, "lstm_step: unchecked shapes")
      }
      let compute = site.compute
      let product = MatrixProduct(rows: step.rows, columns: 4 * step.hidden, depth: step.depth)
      let cell = LongShortTermMemory(
        rows: step.rows, hidden: step.hidden, gateStride: 4 * step.hidden, stateStride: step.hidden)
      return Kernel(scratchFloats: product.scratchFloats) { call in
        step.gates(call, product, compute)
        cell.forward(
          gates: UnsafePointer(call.output(2)), state: call.input(2), output: call.output(0),
          newState: call.output(1), compute: compute)
      }
    },
    gradient: { site in
      let (gates, joined) = (site.outputs[2], site.outputs[3]), given = site.outputGradients
      let through = try site.apply(
        .lstmCellGradient, [gates, site.inputs[2], site.outputGradient] + (given[1].map { [$0] } ?? []))
      let dGates = try given[2].map { try site.apply(.add, [through[0], $0])[0] } ?? through[0]
      let product = try site.apply(
        .matmul, [dGates, site.inputs[3]], Attributes(["transpose_a": false, "transpose_b": true]))[0]
      let dJoined = try given[3].map { try site.apply(.add, [product, $0])[0] } ?? product
      let inputs = site.inputs[0].shape.channels
      func part(_ range: ClosedRange<Int>, for input: Int) throws -> Symbol? {
        let place: [String: JSONValue] = ["axis": 2, "start": .int(range.lowerBound), "stop": .int(range.upperBound)]
        return try site.apply(.slice, [dJoined], Attributes(place), for: input)
      }
      return [
        try part(1...inputs, for: 0), try part(inputs + 1...joined.shape.channels, for: 1), through[1],
        try site.apply(
          .matmul, [joined, dGates], Attributes(["transpose_a": true, "transpose_b": false]), for: 3),
        try site.apply(.sum, [dGates], .axes([0], keeping: false), for: 4),
      ]
    })
}

/// The sizes of a step, from the shapes of its inputs.
private struct LSTMShapes {
  let rows: Int, inputs: Int, hidden: Int
  var depth: Int { inputs + hidden }

  /// Nil for shapes that don't fit.
  init?(_ shapes: [Shape]) {
    guard shapes.count == 5, shapes.allSatisfy({ !$0.hasBatch }), shapes[0].rank == 2, shapes[1].rank == 2 else {
      return nil
    }
    let (x, h) = (shapes[0].dimensions, shapes[1].dimensions)
    (rows, inputs, hidden) = (h[0], x[1], h[1])
    guard x[0] == rows, shapes[2] == shapes[1], shapes[3] == .array([inputs + hidden, 4 * hidden]),
      shapes[4] == .array([4 * hidden])
    else { return nil }
  }

  /// Writes the joined rows and the gates' sums.
  func gates(_ call: KernelArguments, _ product: MatrixProduct, _ compute: Compute) {
    let gates = call.output(2), joined = call.output(3), width = 4 * hidden
    for row in 0..<rows {
      let start = joined + row * depth
      start.update(from: call.input(0) + row * inputs, count: inputs)
      (start + inputs).update(from: call.input(1) + row * hidden, count: hidden)
    }
    product.run(
      MatrixProduct.Operands(
        left: joined, leftRow: depth, right: call.input(3), rightRow: width, result: gates, resultRow: width),
      scratch: call.scratch, compute: compute)
    for row in 0..<rows {
      let sums = gates + row * width
      Elementwise.binary(NR_ADD, sums, call.input(4), result: sums, count: width, compute: compute)
    }
  }
}
