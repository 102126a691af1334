import Canonical
import Diagnostics
import TensorCore

extension Op {
  /// `[n, …] -> [N, …]`: an array as a batch of `n` samples, channels padded.
  static let toBatch: Op = Op(
    "to_batch", "An array as a batch.", role: .derived, paddingLanes: .cleared,
    infer: { [ValueType(.activation(Array($0.input.shape.dimensions.dropFirst())))] },
    kernel: { site in
      let channels = site.outputs[0].shape.channels, rows = site.batch * site.outputs[0].shape.rows(batch: 1)
      let stride = rowStride(site.outputs[0].shape), count = site.elements(site.outputs[0])
      return Kernel { call in
        call.output(0).update(repeating: 0, count: count)
        copy(rows, channels, from: call.input(0), stride: channels, to: call.output(0), stride: stride)
      }
    },
    gradient: { site in try site.apply(.fromBatch, [site.outputGradient], site.attributes) })

  /// `[N, …] -> [n, …]`: a batch of `n` samples as a dense array.
  static let fromBatch: Op = Op(
    "from_batch", "A batch as an array.", role: .derived, paddingLanes: .none,
    infer: { [ValueType(.array([$0.attributes.integer("n")] + $0.input.shape.dimensions))] },
    kernel: { site in
      let channels = site.inputs[0].shape.channels, rows = site.rows(site.inputs[0])
      let stride = rowStride(site.inputs[0].shape)
      return Kernel { call in
        copy(rows, channels, from: call.input(0), stride: stride, to: call.output(0), stride: channels)
      }
    },
    gradient: { site in try site.apply(.toBatch, [site.outputGradient], site.attributes) })

  private static func rowStride(_ shape: Shape) -> Int {
    shape.dimensions.isEmpty ? 1 : paddedChannels(shape.channels)
  }

  private static func copy(
    _ rows: Int, _ channels: Int, from source: UnsafePointer<Float>, stride from: Int,
    to target: UnsafeMutablePointer<Float>, stride to: Int
  ) {
    for row in 0..<rows {
      target.advanced(by: row &* to).update(from: source.advanced(by: row &* from), count: channels)
    }
  }
}

extension Tape {
  /// The layers that work on a batch only; the other ops take arrays too.
  private static let batched: Set<String> = [
    "conv2d", "linear", "batch_norm", "max_pool", "avg_pool", "global_avg_pool", "dropout", "flatten",
    "zero", "resize", "drop_path", "cross_entropy", "channel_gate", "scaled_dot_product_attention",
  ]

  /// Runs an op on tensors of any form, as users have them: attributes are checked, arrays become batches for layers
  /// that want one, and values of different forms become arrays.
  ///
  /// - Parameters:
  ///   - parameters: gives the tensors of the parameters that the op declares.
  ///   - path: the node's path in a model, for errors.
  ///   - words: what `Tape.words` gave for the call: it is known by them from now on, if it can be.
  /// - Returns: the first output.
  func apply(
    _ op: Op, _ inputs: [Tensor], _ attributes: [String: JSONValue], path: String, words: [UInt64]? = nil,
    parameters: ([ParameterDeclaration]) throws -> [Tensor]
  ) throws -> Tensor {
    try op.checkArity(inputs.count, path: path)
    let checked = try Attributes.checked(attributes, for: op, path: path)
    var failure: (any Error)?
    for (number, form) in try forms(of: inputs, for: op, path: path).enumerated() {
      var use = OpUse(op: op, path: path, inputs: form.map(\.type), attributes: checked)
      do {
        use.attributes = try op.resolve(use)
        _ = try use.outputs()
      } catch {
        failure = Self.withSizes(error, of: form)
        continue
      }
      let declared = op.parameters(use), given = inputs
      let inputs = try form + parameters(declared)
      do {
        let result = try expand(op, inputs, use.attributes)[0]
        if let words, number == 0, declared.isEmpty, zip(form, given).allSatisfy({ $0 === $1 }) {
          calls.keep(try prepared(op, given, use.attributes), by: words)
        }
        return result
      } catch var fault as Fault where fault.code == .data && fault.path == nil {
        // Numbers that the op can't take, such as an index out of range.
        fault.message = "\(op.name): \(fault.message)"
        fault.path = path
        throw fault
      }
    }
    throw failure ?? Fault(.internal, "\(op.name): no form fits", path: path)
  }

  /// Runs an op without parameters on tensors of any form.
  public func apply(_ op: String, _ inputs: [Tensor], attributes: [String: JSONValue] = [:]) throws -> Tensor {
    guard let layer = TapeLayer.named(op) else { throw Fault(.internal, "unknown op '\(op)'") }
    return try apply(layer, inputs, attributes: attributes)
  }

  /// The same of a layer; `words` are what `Tape.words` gave for the call, for `applyKnown`.
  public func apply(
    _ layer: TapeLayer, _ inputs: [Tensor], attributes: [String: JSONValue] = [:], words: [UInt64]? = nil
  ) throws -> Tensor {
    do {
      return try apply(layer.op, inputs, attributes, path: layer.op.name, words: words) { declared in
        guard declared.isEmpty else {
          throw Fault(
            .recipe, "\(layer.op.name) has parameters, which only a model or a build can hold",
            hint: "Call it inside nas.model(function(x) … end).")
        }
        return []
      }
    } catch var fault as Fault where fault.path == layer.op.name {
      // Outside of a model there is no path; the message names the op.
      fault.path = nil
      throw fault
    }
  }

  /// A shape error with the size of the batch in place of `N`.
  private static func withSizes(_ error: any Error, of inputs: [Tensor]) -> any Error {
    guard var fault = error as? Fault,
      let input = inputs.first(where: { $0.type.shape.hasBatch && $0.type.shape.description == fault.got })
    else { return error }
    fault.got = "\(Shape.array(input.shape))"
    return fault
  }

  /// One step of a long short-term memory: the output h' and the state c'. The gates have four numbers for each of the
  /// state, in the order input, forget, cell, output; nil for gates that haven't.
  public func lstmCell(gates: Tensor, state: Tensor) throws -> [Tensor]? {
    guard let layer = TapeLayer.named(Op.lstmCell.name) else { return nil }
    let inputs = [gates, state]
    if case .operation(let operation) = calls.find(layer, inputs) { return try run(operation, inputs) }
    guard let hidden = state.shape.last, gates.shape == Array(state.shape.dropLast()) + [4 * hidden] else { return nil }
    guard gates.type.shape.hasBatch == state.type.shape.hasBatch else {
      return try compute(.lstmCell, [try fromBatch(gates), try fromBatch(state)], Attributes())
    }
    return try run(try kept(layer, inputs), inputs)
  }

  /// The same from the input: of `x, h, c, weight, bias`, with the gates `[x, h] · weight + bias`. Nil where the shapes
  /// don't fit.
  public func lstmStep(_ inputs: [Tensor]) throws -> [Tensor]? {
    guard let layer = TapeLayer.named(Op.lstmStep.name) else { return nil }
    if case .operation(let operation) = calls.find(layer, inputs) { return try run(operation, inputs, outputs: 2) }
    let arrays = try inputs.map(fromBatch)
    let use = OpUse(op: layer.op, path: layer.op.name, inputs: arrays.map(\.type), attributes: Attributes())
    guard (try? layer.op.infer(use)) != nil else { return nil }
    return try run(try kept(layer, arrays), arrays, outputs: 2)
  }

  /// A layer's operation for inputs of the form that it has, known from now on.
  private func kept(_ layer: TapeLayer, _ inputs: [Tensor]) throws -> TapeOperation {
    let batch = inputs.first { $0.type.shape.hasBatch }?.batch ?? 1
    let operation = try operation(layer.op, inputs.map(\.type), Attributes(), batch: batch)
    if let words = words(layer, inputs) { calls.keep(.operation(operation), by: words) }
    return operation
  }

  /// A tensor times a number.
  public func scaled(_ tensor: Tensor, by factor: Float) throws -> Tensor {
    try compute(.mul, [tensor, try Tensor.filled(like: tensor, factor)], Attributes())[0]
  }

  /// The inputs in the forms to try, the likeliest first.
  private func forms(of inputs: [Tensor], for op: Op, path: String) throws -> [[Tensor]] {
    if Self.batched.contains(op.name) {
      let batches = inputs.filter { !$0.shape.isEmpty }
      if let other = batches.first(where: { $0.shape[0] != batches[0].shape[0] }) {
        throw Fault(
          .recipe, "\(op.name): batches of different sizes", path: path,
          expected: "\(Shape.array(batches[0].shape))", got: "\(Shape.array(other.shape))")
      }
      return [try inputs.map(toBatch)]
    }
    let isMixed = inputs.contains { $0.type.shape.hasBatch }
    return (fitTogether(inputs) ? [inputs] : []) + (isMixed ? [try inputs.map(fromBatch)] : [])
  }

  /// Whether batches have one size, and arrays beside them have fewer dimensions, so that they are the same for every
  /// sample.
  private func fitTogether(_ inputs: [Tensor]) -> Bool {
    let batches = inputs.filter { $0.type.shape.hasBatch }
    guard let first = batches.first else { return true }
    let rank = batches.map { $0.shape.count }.min() ?? 0
    return batches.allSatisfy { $0.batch == first.batch }
      && inputs.allSatisfy { $0.type.shape.hasBatch || $0.shape.count < rank }
  }

  private func toBatch(_ tensor: Tensor) throws -> Tensor {
    guard !tensor.type.shape.hasBatch, let n = tensor.shape.first else { return tensor }
    return try compute(.toBatch, [tensor], Attributes(["n": .int(n)]))[0]
  }

  /// The tensor as a dense array.
  func fromBatch(_ tensor: Tensor) throws -> Tensor {
    guard tensor.type.shape.hasBatch else { return tensor }
    return try compute(.fromBatch, [tensor], Attributes(["n": .int(tensor.batch)]))[0]
  }
}

extension Tape {
  /// A node of a graph on inputs of the form it has there.
  package func applyNode(_ op: Op, _ inputs: [Tensor], _ attributes: Attributes) throws -> Tensor {
    try expand(op, inputs, attributes)[0]
  }

  /// The tensor as a batch, its first dimension the samples.
  package func batch(_ tensor: Tensor) throws -> Tensor { try toBatch(tensor) }
}
