import Diagnostics

/// What decides the random numbers of one use of an op.
struct RandomDraw {
  let key: UInt64
  let step: Int
}

/// A few ops in a fixed order, made once from a small draft and run on a tape many times: what a layer expands to, or
/// the gradient of an op.
final class TapeProgram {
  /// A class, because a copy of an op's record costs a reference count for each of its functions.
  private final class Step {
    let op: Op
    let attributes: Attributes
    let inputs: [Int]
    let outputs: [Int]
    let path: String

    init(_ node: Graph.Node) {
      (op, attributes, inputs, outputs, path) = (node.op, node.attributes, node.inputs, node.outputs, node.path)
    }
  }

  private let steps: [Step]
  private let types: [ValueType]
  private let given: [Int]
  /// For each given value, whether a step or a result reads it.
  let readsGiven: [Bool]
  private let results: [Int?]
  /// For a result that is a sum over rows, and that no step reads, the step that computes it.
  private let rowSums: [Int: Int]
  /// The operations of the steps that run as one, and what they are as a routine, for the tape and the size of the batch
  /// that ran last.
  private var prepared: [TapeOperation?] = []
  private var preparedRoutine: TapeRoutine?
  private var preparedFor: (tape: ObjectIdentifier, batch: Int)?

  /// Takes what `results` depend on from a draft, and what updates statistics. `given` are the values that a run
  /// starts from; nodes that compute one of them are left out.
  init(_ graph: Graph, given: [Symbol], results: [Symbol?]) {
    let isGiven = Set(given.map(\.id))
    let needed = Set(graph.nodes(reaching: results.compactMap { $0?.id }))
    let steps: [Step] = graph.nodes.indices.compactMap { index in
      let node = graph.nodes[index]
      guard needed.contains(index) || !node.op.updates.isEmpty, !node.outputs.contains(where: isGiven.contains) else {
        return nil
      }
      return Step(node)
    }
    types = graph.values
    self.steps = steps
    self.given = given.map(\.id)
    self.results = results.map { $0?.id }
    let readBySteps = Set(steps.flatMap(\.inputs)), isResult = Set(results.compactMap { $0?.id })
    let read = readBySteps.union(isResult)
    readsGiven = given.map { read.contains($0.id) }
    var rowSums: [Int: Int] = [:]
    for (index, step) in steps.enumerated() {
      guard let output = step.outputs.first else { continue }
      let shapes = step.inputs.map { graph.values[$0].shape }
      if step.op.sumsRows(step.attributes, shapes), isResult.contains(output), !readBySteps.contains(output) {
        rowSums[output] = index
      }
    }
    self.rowSums = rowSums
  }

  /// Runs the ops on tensors for `given`; the results in their order.
  ///
  /// - Parameter draws: for ops that draw random numbers, from the node's path; the tape's own where nil.
  func run(
    _ tensors: [Tensor], batch: Int, on tape: Tape, draws: ((_ path: String) -> RandomDraw)? = nil
  ) throws -> [Tensor?] {
    var known = [Tensor?](repeating: nil, count: types.count)
    for (value, tensor) in zip(given, tensors) { known[value] = tensor }
    try prepare(batch: batch, on: tape)
    for (index, step) in steps.enumerated() {
      let inputs = step.inputs.compactMap { known[$0] }
      let draw = step.op.isRepeatable ? nil : draws?(step.path)
      let outputs =
        try prepared[index].map { try tape.run($0, inputs, draw: draw) }
        ?? tape.expand(step.op, inputs, step.attributes, batch: batch)
      for (value, output) in zip(step.outputs, outputs) { known[value] = output }
    }
    return results.map { $0.flatMap { known[$0] } }
  }

  /// The program for running on blocks of memory; nil where a step expands or draws random numbers.
  func routine(batch: Int, on tape: Tape) throws -> TapeRoutine? {
    try prepare(batch: batch, on: tape)
    return preparedRoutine
  }

  /// The operation that the program is, if it is one, whose inputs are what is given and whose outputs the results.
  func onlyOperation(batch: Int, on tape: Tape) throws -> TapeOperation? {
    guard steps.count == 1, steps[0].inputs == given, results.first == steps[0].outputs.first else { return nil }
    try prepare(batch: batch, on: tape)
    return prepared[0]
  }

  private func prepare(batch: Int, on tape: Tape) throws {
    let tapeName = ObjectIdentifier(tape)
    if let preparedFor, preparedFor == (tapeName, batch) { return }
    prepared = try steps.map { step in
      guard step.op.kernel != nil else { return nil }
      return try tape.operation(step.op, step.inputs.map { types[$0] }, step.attributes, batch: batch)
    }
    preparedRoutine = routine(of: prepared.compactMap { $0?.run == nil ? nil : $0 })
    preparedFor = (tapeName, batch)
  }

  private func routine(of operations: [TapeOperation]) -> TapeRoutine? {
    guard operations.count == steps.count, steps.allSatisfy({ $0.op.updates.isEmpty }) else { return nil }
    // Steps whose sums are put off follow the others: only they compute these results.
    let routine = TapeRoutine(values: types.count, given: given), putOff = Set(rowSums.values)
    for (index, step) in steps.enumerated() where !putOff.contains(index) {
      routine.add(operations[index], step.inputs, step.outputs)
    }
    for result in results {
      guard let result, let index = rowSums[result] else {
        routine.add(result: result)
        continue
      }
      routine.add(rowSum: operations[index], steps[index].inputs)
    }
    return routine
  }
}

/// A program of prepared operations, by the numbers of the values that they take and give: plain numbers in few arrays,
/// so that a run counts no references.
final class TapeRoutine {
  struct Step {
    /// The routine has it.
    let operation: Unmanaged<TapeOperation>
    /// The places of its inputs in `operands`, and of its outputs after them.
    let inputs: Range<Int>, outputs: Range<Int>
  }

  enum Result {
    case none
    case value(Int)
    /// What the op of a step that sums over the rows of its inputs would give from these: sums that are added are one sum
    /// over the rows of all.
    case rowSum(Step)
  }

  /// How many values there are.
  let values: Int
  /// The values that a run starts from.
  let given: [Int]
  private(set) var steps: [Step] = []
  private(set) var results: [Result] = []
  /// The values that steps take and give.
  private(set) var operands: [Int] = []
  private var operations: [TapeOperation] = []

  init(values: Int, given: [Int]) { (self.values, self.given) = (values, given) }

  /// Adds a step to those that run.
  func add(_ operation: TapeOperation, _ inputs: [Int], _ outputs: [Int]) {
    steps.append(step(operation, inputs, outputs))
  }

  /// Adds a result that is a value of the program, or nothing.
  func add(result value: Int?) { results.append(value.map { .value($0) } ?? .none) }

  /// Adds a result that is a sum over rows.
  func add(rowSum operation: TapeOperation, _ inputs: [Int]) { results.append(.rowSum(step(operation, inputs, []))) }

  private func step(_ operation: TapeOperation, _ inputs: [Int], _ outputs: [Int]) -> Step {
    let first = operands.count, next = first + inputs.count
    operations.append(operation)
    operands += inputs + outputs
    return Step(
      operation: Unmanaged.passUnretained(operation), inputs: first..<next, outputs: next..<next + outputs.count)
  }
}

extension Op {
  /// Whether the result is a sum over the rows of all inputs, so that the sum of two results is that of the rows of both:
  /// the gradient of a weight that is used many times is then one product.
  fileprivate func sumsRows(_ attributes: Attributes, _ inputs: [Shape]) -> Bool {
    if name == Op.linearWeightGradient.name { return true }
    if name == Op.sum.name {
      return !inputs[0].hasBatch && inputs[0].rank > 1 && attributes.integers("axes") == [1]
        && !attributes.boolean("keep")
    }
    return name == Op.matmul.name && attributes.boolean("transpose_a") && !attributes.boolean("transpose_b")
      && inputs.allSatisfy { !$0.hasBatch && $0.rank == 2 }
  }
}
