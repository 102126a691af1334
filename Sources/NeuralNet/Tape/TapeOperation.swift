import TensorCore

/// An op prepared for inputs of certain types: what a tape finds once, and then runs without looking anything up.
final class TapeOperation {
  let op: Op
  let attributes: Attributes
  let inputs: [ValueType]
  let outputs: [ValueType]
  /// The size of the batch of what has one.
  let batch: Int
  /// Nil for an op that draws random numbers: its kernel is made for each draw.
  let kernel: Kernel?
  /// The gradients that were asked for, by which inputs are wanted and which outputs have a gradient.
  private var gradients: [(wanted: [Bool], incoming: [Bool], program: TapeProgram)] = []

  init(
    _ op: Op, _ attributes: Attributes, inputs: [ValueType], outputs: [ValueType], batch: Int, kernel: Kernel?
  ) {
    (self.op, self.attributes, self.inputs, self.outputs) = (op, attributes, inputs, outputs)
    (self.batch, self.kernel) = (batch, kernel)
  }

  /// The program that computes the gradients of the wanted inputs from the inputs, the outputs and the gradients of those
  /// outputs that have one.
  func gradientProgram(wanted: [Bool], incoming: [Bool]) throws -> TapeProgram {
    if let known = gradients.first(where: { $0.wanted == wanted && $0.incoming == incoming }) { return known.program }
    let draft = GraphDraft()
    let symbols = inputs.enumerated().map { draft.input("x\($0)", $1) }
    let outputs = try draft.apply(op, symbols, attributes, path: op.name)
    let outputGradients = zip(outputs, incoming).enumerated().map { index, output in
      output.1 ? draft.input("gradient\(index)", output.0.type) : nil
    }
    let targets = zip(symbols, wanted).filter(\.1).map(\.0)
    var partial = try draft.partialGradients(of: outputs, from: outputGradients, wrt: targets)[...]
    let program = TapeProgram(
      draft.graph, given: symbols + outputs + outputGradients.compactMap { $0 },
      results: wanted.map { $0 ? partial.removeFirst() : nil })
    gradients.append((wanted, incoming, program))
    return program
  }
}
