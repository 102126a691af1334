import TensorCore

/// An op prepared for inputs of certain types: what a tape finds once, and then runs without looking anything up.
final class TapeOperation {
  let op: Op
  let attributes: Attributes
  let inputs: [ValueType]
  let outputs: [ValueType]
  /// The outputs' forms.
  let forms: [TensorForm]
  /// All but the first.
  let otherForms: [TensorForm]
  /// The size of the batch of what has one.
  let batch: Int
  /// The kernel's computation; nil for an op that draws random numbers: its kernel is made for each draw.
  let run: ((KernelArguments) throws -> Void)?
  let scratchFloats: Int
  /// The inputs that a run changes.
  let updates: [Int]
  /// The same op for the rows of several such inputs, by how many; see `Tape.stacked`.
  var stacks: [Int: TapeOperation] = [:]
  /// The gradients that were asked for; the last again.
  private var gradients: [TapeGradient] = []
  private var latestGradient: TapeGradient?

  init(
    _ op: Op, _ attributes: Attributes, inputs: [ValueType], outputs: [ValueType], batch: Int, kernel: Kernel?
  ) {
    (self.op, self.attributes, self.inputs, self.outputs) = (op, attributes, inputs, outputs)
    (self.batch, updates) = (batch, op.updates)
    (run, scratchFloats) = (kernel?.run, kernel?.scratchFloats ?? 0)
    forms = outputs.map { TensorForm.of($0, batch: batch) }
    otherForms = Array(forms.dropFirst())
  }

  /// What computes gradients of inputs from the inputs, the outputs and the gradients of those outputs that have one.
  ///
  /// - Parameters:
  ///   - wanted: a bit for each input whose gradient is wanted; see `bits`.
  ///   - incoming: a bit for each output that has a gradient.
  func gradient(wanted: UInt64, incoming: UInt64) throws -> TapeGradient {
    if let latestGradient, latestGradient.wanted == wanted, latestGradient.incoming == incoming {
      return latestGradient
    }
    let known = gradients.first { $0.wanted == wanted && $0.incoming == incoming }
    let gradient = try known ?? makeGradient(wanted: wanted, incoming: incoming)
    if known == nil { gradients.append(gradient) }
    latestGradient = gradient
    return gradient
  }

  private func makeGradient(wanted: UInt64, incoming: UInt64) throws -> TapeGradient {
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
    return TapeGradient(wanted, incoming, program)
  }

  /// A set of inputs or outputs as bits. Where there are more than bits, all beyond them are as the last.
  static func bits(_ count: Int, where isIn: (Int) -> Bool) -> UInt64 {
    var bits: UInt64 = 0
    for index in 0..<count where isIn(index) { bits |= 1 << min(UInt64(index), 63) }
    return bits
  }

  private static func isSet(_ index: Int, in bits: UInt64) -> Bool { bits >> min(UInt64(index), 63) & 1 == 1 }
}

/// The gradients of some of an operation's inputs, where some of its outputs have one.
final class TapeGradient {
  /// Which, as `TapeOperation.bits`.
  let wanted: UInt64, incoming: UInt64
  let program: TapeProgram
  /// The program for blocks of memory, once it was asked for.
  private var routine: TapeRoutine?
  private var isPrepared = false

  fileprivate init(_ wanted: UInt64, _ incoming: UInt64, _ program: TapeProgram) {
    (self.wanted, self.incoming, self.program) = (wanted, incoming, program)
  }

  /// The program for blocks of memory, on the operation's own tape; nil where there is none.
  func routine(batch: Int, on tape: Tape) throws -> TapeRoutine? {
    if isPrepared { return routine }
    routine = try program.routine(batch: batch, on: tape)
    isPrepared = true
    return routine
  }
}
