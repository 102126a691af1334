import TensorCore

/// An op prepared for inputs of certain types: what a tape finds once, and then runs without looking anything up.
final class TapeOperation {
  let op: Op
  let attributes: Attributes
  let inputs: [ValueType]
  let outputs: [ValueType]
  /// The outputs' forms.
  let forms: [TensorForm]
  /// The size of the batch of what has one.
  let batch: Int
  /// The kernel's computation; nil for an op that draws random numbers: its kernel is made for each draw.
  let run: ((KernelArguments) throws -> Void)?
  let scratchFloats: Int
  /// The inputs that a run changes.
  let updates: [Int]
  /// The same op for the rows of several such inputs, by how many; see `Tape.stacked`.
  var stacks: [Int: TapeOperation] = [:]
  /// The gradients that were asked for, by which inputs are wanted and which outputs have a gradient.
  private var gradients: [(wanted: UInt64, incoming: UInt64, program: TapeProgram)] = []

  init(
    _ op: Op, _ attributes: Attributes, inputs: [ValueType], outputs: [ValueType], batch: Int, kernel: Kernel?
  ) {
    (self.op, self.attributes, self.inputs, self.outputs) = (op, attributes, inputs, outputs)
    (self.batch, updates) = (batch, op.updates)
    (run, scratchFloats) = (kernel?.run, kernel?.scratchFloats ?? 0)
    forms = outputs.map { TensorForm.of($0, batch: batch) }
  }

  /// The program that computes gradients of inputs from the inputs, the outputs and the gradients of those outputs that
  /// have one.
  ///
  /// - Parameters:
  ///   - wanted: a bit for each input whose gradient is wanted; see `bits`.
  ///   - incoming: a bit for each output that has a gradient.
  func gradientProgram(wanted: UInt64, incoming: UInt64) throws -> TapeProgram {
    if let known = gradients.first(where: { $0.wanted == wanted && $0.incoming == incoming }) { return known.program }
    let draft = GraphDraft()
    let symbols = inputs.enumerated().map { draft.input("x\($0)", $1) }
    let outputs = try draft.apply(op, symbols, attributes, path: op.name)
    let outputGradients = outputs.enumerated().map { index, output in
      Self.isSet(index, in: incoming) ? draft.input("gradient\(index)", output.type) : nil
    }
    let isWanted = inputs.indices.map { Self.isSet($0, in: wanted) }
    let targets = zip(symbols, isWanted).filter(\.1).map(\.0)
    var partial = try draft.partialGradients(of: outputs, from: outputGradients, wrt: targets)[...]
    let program = TapeProgram(
      draft.graph, given: symbols + outputs + outputGradients.compactMap { $0 },
      results: isWanted.map { $0 ? partial.removeFirst() : nil })
    gradients.append((wanted, incoming, program))
    return program
  }

  /// A set of inputs or outputs as bits. Where there are more than bits, all beyond them are as the last.
  static func bits(_ count: Int, where isIn: (Int) -> Bool) -> UInt64 {
    var bits: UInt64 = 0
    for index in 0..<count where isIn(index) { bits |= 1 << min(UInt64(index), 63) }
    return bits
  }

  private static func isSet(_ index: Int, in bits: UInt64) -> Bool { bits >> min(UInt64(index), 63) & 1 == 1 }
}
