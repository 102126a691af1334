import Canonical
import TensorCore

extension Op {
  /// One step of a long short-term memory: `gates, c -> h', c'`, the sums that the input, forget, cell and output gate act
  /// on, one after the other along the last axis, and the state. `c' = σ(f) · c + σ(i) · tanh(g)`, `h' = σ(o) · tanh(c')`
  /// (Hochreiter & Schmidhuber 1997; Gers et al. 2000).
  static let lstmCell: Op = Op(
    "lstm_cell", "A step of a long short-term memory.", role: .derived, arity: .exactly(2), paddingLanes: .cleared,
    infer: { use in
      let gates = use.inputs[0].shape, state = use.inputs[1]
      guard gates.hasBatch == state.shape.hasBatch, gates.dimensions.dropLast() == state.shape.dimensions.dropLast(),
        gates.rank > 0, gates.channels == 4 * state.shape.channels
      else {
        throw use.fault(
          "the gates don't fit the cell's state", expected: "four numbers for each of \(state.shape)", got: "\(gates)")
      }
      return [state, state]
    },
    kernel: { site in
      let cell = LongShortTermMemory(site), compute = site.compute
      return Kernel { call in
        cell.forward(
          gates: call.input(0), state: call.input(1), output: call.output(0), newState: call.output(1),
          compute: compute)
      }
    },
    gradient: { site in
      guard let dState = site.outputGradients[1] else {
        return try site.apply(.lstmCellGradient, [site.inputs[0], site.inputs[1], site.outputGradient])
      }
      return try site.apply(.lstmCellGradient, [site.inputs[0], site.inputs[1], site.outputGradient, dState])
    })

  /// The gradient of a cell: `gates, c, dh' [, dc'] -> dgates, dc`.
  static let lstmCellGradient: Op = Op(
    "lstm_cell_gradient", "Gradients of a step of a long short-term memory.", role: .derived, arity: .atLeast(3),
    paddingLanes: .cleared, infer: { [$0.inputs[0], $0.inputs[1]] },
    kernel: { site in
      let cell = LongShortTermMemory(site), compute = site.compute, hasState = site.inputs.count > 3
      return Kernel { call in
        cell.backward(
          gates: call.input(0), state: call.input(1), outputGradient: call.input(2),
          newStateGradient: hasState ? call.input(3) : nil, gatesGradient: call.output(0),
          stateGradient: call.output(1), compute: compute)
      }
    },
    gradient: { site in
      let equal = try site.lstmCellGradientInPrimitives()
      return try site.draft.partialGradients(of: equal, from: site.outputGradients, wrt: site.inputs)
    })
}

extension LongShortTermMemory {
  fileprivate init(_ site: KernelSite) {
    let gates = Grid(site, site.inputs[0]), state = Grid(site, site.inputs[1])
    self.init(rows: state.rows, hidden: state.channels, gateStride: gates.stride, stateStride: state.stride)
  }
}

extension GradientSite {
  /// `lstm_cell_gradient` once more, from ops that are differentiable any number of times.
  fileprivate func lstmCellGradientInPrimitives() throws -> [Symbol] {
    let gates = inputs[0], before = inputs[1], dOutput = inputs[2], hidden = before.shape.channels
    func gate(_ index: Int) throws -> Symbol {
      let part: [String: JSONValue] = [
        "axis": .int(gates.shape.rank), "start": .int(index * hidden + 1), "stop": .int((index + 1) * hidden),
      ]
      return try apply(index == 2 ? .tanh : .sigmoid, [try apply(.slice, [gates], Attributes(part))[0]])[0]
    }
    let (i, f, g, o) = (try gate(0), try gate(1), try gate(2), try gate(3))
    let state = try apply(.plus, [try multiply(f, before), try multiply(i, g)])[0]
    let squashed = try apply(.tanh, [state])[0]
    var dState = try apply(.tanhGradient, [squashed, try multiply(dOutput, o)])[0]
    if inputs.count > 3 { dState = try apply(.plus, [dState, inputs[3]])[0] }
    let parts = [
      try apply(.sigmoidGradient, [i, try multiply(dState, g)])[0],
      try apply(.sigmoidGradient, [f, try multiply(dState, before)])[0],
      try apply(.tanhGradient, [g, try multiply(dState, i)])[0],
      try apply(.sigmoidGradient, [o, try multiply(dOutput, squashed)])[0],
    ]
    let joined = try apply(.concat, parts, Attributes(["axis": .int(gates.shape.rank)]))[0]
    return [joined, try multiply(dState, f)]
  }
}
