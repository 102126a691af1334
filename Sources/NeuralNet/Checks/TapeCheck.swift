import TensorCore

/// Compares an example on a tape with the same example compiled.
struct TapeCheck {
  let program: ExampleProgram
  let point: ExampleProgram.Point

  /// Output and gradients must have the same bits, gradients of gradients agree. A tape has no choices.
  func outcome(_ result: ExampleProgram.Result, _ compute: Compute) throws -> OpOutcome {
    guard program.plan.decisions.isEmpty else { return .notApplicable }
    let example = program.example
    let tape = try Tape(compute: compute) { ExampleProgram.random.key(for: "op") }
    tape.mode = example.mode
    let leaves = try zip(program.inputs, point.inputs).enumerated().map { index, input in
      try tensor(input.0.shape, input.1, requiresGradient: program.targets.contains(index))
    }
    let inputs = try zip(program.inputs, leaves).map { $0.shape.hasBatch ? try tape.batch($1) : $1 }
    let output = try tape.expand(example.op, inputs, program.attributes, batch: OpExample.batch)[0]
    guard output.values == result.output else { return .failed("\(example.description): output") }
    guard example.derivatives > 0 else { return .passed }

    let targets = program.targets.map { leaves[$0] }
    let seed = try tensor(program.outputType.shape, point.outputGradient, requiresGradient: true)
    let first = try tape.gradients(of: output, seed: seed, wrt: targets, createGraph: example.derivatives > 1)
    guard first.map({ $0?.values }) == result.gradients else { return .failed("\(example.description): gradient") }
    guard !result.second.isEmpty else { return .passed }

    let terms = try first.indices.compactMap { index in
      try first[index].map { gradient in
        let direction = try tensor(program.inputs[program.targets[index]].shape, point.directions[index])
        return try tape.applyNode(.dot, [try tape.fromBatch(gradient), direction], Attributes())
      }
    }
    let sum = terms.count == 1 ? terms[0] : try tape.applyNode(.add, terms, Attributes())
    let second = try tape.gradients(of: sum, wrt: targets + [seed])
    return zip(second, result.second).allSatisfy { agree($0?.values, $1) }
      ? .passed : .failed("\(example.description): second gradient")
  }

  /// Second gradients may have their terms added in other groups, since a plan computes equal nodes once: they agree to
  /// 1e-5. One that is absent is zero.
  private func agree(_ a: [Float]?, _ b: [Float]?) -> Bool {
    guard let some = a ?? b else { return true }
    let zero = some.map { _ in Float(0) }
    return relativeError(a ?? zero, b ?? zero) < 1e-5
  }

  private func tensor(_ shape: Shape, _ values: [Float], requiresGradient: Bool = false) throws -> Tensor {
    try Tensor(shape.extents(batch: OpExample.batch), values, requiresGradient: requiresGradient)
  }
}
