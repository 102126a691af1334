import Canonical
import Diagnostics
import TensorCore

/// Runs ops of the table at once, on tensors, and records what gradients need.
///
/// The kernels are those of plans, prepared once per op, attributes and shapes; so an eager computation gives the bits
/// of a plan that does the same without fusing. A computation is recorded when an input requires a gradient. A tape
/// serves one thread.
public final class Tape {
  /// What a prepared kernel, an expansion or a gradient was made for.
  private struct Key: Hashable {
    let op: String
    let attributes: Attributes
    let inputs: [ValueType]
    var batch = 0
    var wanted: [Bool] = []
    var incoming: [Bool] = []
    var mode: ExecutionMode?
  }

  let compute: Compute
  /// How layers behave that have more than one way: `training` or `inference`.
  public var mode: ExecutionMode = .training
  /// Whether computations are recorded.
  public private(set) var isRecording = true
  /// Gives the key of each use of random numbers.
  private var nextKey: () -> UInt64
  private var kernels: [Key: Kernel] = [:]
  private var expansions: [Key: TapeProgram] = [:]
  private var gradientPrograms: [Key: TapeProgram] = [:]
  private var scratch: AlignedBuffer
  private let memory: TapeMemory?
  /// The most prepared kernels that are kept: shapes that change at every call must not pile up.
  private static let mostKernels = 4096

  /// Makes a tape.
  ///
  /// - Parameters:
  ///   - memoryChanged: is told of the bytes of all values that the tape computed and that somebody, a tensor's history
  ///     for example, still holds: of each change.
  ///   - keys: gives a number whenever an op draws random numbers.
  public init(
    compute: Compute, memoryChanged: ((Int) -> Void)? = nil, keys: @escaping () -> UInt64
  ) throws {
    nextKey = keys
    memory = memoryChanged.map(TapeMemory.init)
    self.compute = compute
    scratch = try AlignedBuffer(count: 0)
  }

  /// Runs `body` with recording on or off.
  public func recording<Result>(_ isOn: Bool, _ body: () throws -> Result) rethrows -> Result {
    let before = isRecording
    isRecording = isOn
    defer { isRecording = before }
    return try body()
  }

  /// Runs `body` in a mode, with other random numbers.
  public func running<Result>(
    in mode: ExecutionMode, keys: @escaping () -> UInt64, _ body: () throws -> Result
  ) rethrows -> Result {
    let before = (self.mode, nextKey)
    (self.mode, nextKey) = (mode, keys)
    defer { (self.mode, nextKey) = before }
    return try body()
  }

  // MARK: - Computing

  /// Runs one op on inputs that have the form it wants. `batch` is the size of a batch that no input tells, `draw` stands
  /// for the tape's own random numbers.
  func compute(
    _ op: Op, _ inputs: [Tensor], _ attributes: Attributes, batch: Int = 1, draw: RandomDraw? = nil
  ) throws -> [Tensor] {
    guard op.kernel != nil else { return try expand(op, inputs, attributes, batch: batch) }
    let types = inputs.map(\.type)
    let batch =
      inputs.first { $0.type.shape.hasBatch }?.batch
      ?? (op.name == Op.toBatch.name ? attributes.integer("n") : batch)
    let use = OpUse(op: op, path: op.name, inputs: types, attributes: attributes)
    let outputs = try op.infer(use).map { try Tensor.Storage($0, batch: batch, memory: memory) }
    let kernel = try kernel(op, types, outputs.map(\.type), attributes, batch, key: draw?.key)
    try run(kernel, inputs, outputs, step: draw?.step ?? 0)
    for position in op.updates { inputs[position].storage.noteChange() }
    guard isRecording, op.updates.isEmpty, inputs.contains(where: \.requiresGradient) else {
      return outputs.map { Tensor($0) }
    }
    let node = TapeNode(.op(op, attributes), inputs: inputs, outputs: outputs, memory: memory)
    return outputs.indices.map(node.tensor)
  }

  /// What a layer becomes in the tape's mode, run op by op.
  func expand(_ op: Op, _ inputs: [Tensor], _ attributes: Attributes, batch: Int = 1) throws -> [Tensor] {
    guard let expansion = op.expansion else { return try compute(op, inputs, attributes, batch: batch) }
    let key = Key(op: op.name, attributes: attributes, inputs: inputs.map(\.type), mode: mode)
    let batch = inputs.first { $0.type.shape.hasBatch }?.batch ?? batch
    if let program = expansions[key] { return try program.run(inputs, batch: batch, on: self).compactMap { $0 } }
    let draft = GraphDraft()
    let symbols = inputs.enumerated().map { draft.input("x\($0)", $1.type) }
    let results = try expansion(
      ExpansionSite(draft: draft, mode: mode, path: op.name, attributes: attributes, inputs: symbols))
    let program = TapeProgram(draft.graph, given: symbols, results: results)
    expansions[key] = program
    return try program.run(inputs, batch: batch, on: self).compactMap { $0 }
  }

  /// The tensor that a computation outside of the op table gave, with its history.
  func record(_ function: any TapeFunction, inputs: [Tensor], output: Tensor.Storage) -> Tensor {
    guard isRecording, inputs.contains(where: \.requiresGradient) else { return Tensor(output) }
    return TapeNode(.function(function), inputs: inputs, outputs: [output], memory: memory).tensor(0)
  }

  private func kernel(
    _ op: Op, _ inputs: [ValueType], _ outputs: [ValueType], _ attributes: Attributes, _ batch: Int, key draw: UInt64?
  ) throws -> Kernel {
    let key = Key(op: op.name, attributes: attributes, inputs: inputs, batch: batch)
    if op.isRepeatable || !op.updates.isEmpty, let kernel = kernels[key] { return kernel }
    guard let prepare = op.kernel else { throw Fault(.internal, "\(op.name) has no kernel") }
    let kernel = try prepare(
      KernelSite(
        inputs: inputs, outputs: outputs, isRead: outputs.map { _ in true }, attributes: attributes, batch: batch,
        compute: compute, randomKey: op.isRepeatable ? 0 : draw ?? nextKey()))
    if kernels.count >= Self.mostKernels { kernels = [:] }
    kernels[key] = kernel
    if kernel.scratchFloats > scratch.count { scratch = try AlignedBuffer(count: kernel.scratchFloats) }
    return kernel
  }

  private func run(_ kernel: Kernel, _ inputs: [Tensor], _ outputs: [Tensor.Storage], step: Int) throws {
    var pointers = (inputs.map(\.storage) + outputs).map { UnsafeMutableRawPointer($0.buffer.pointer) }
    try withExtendedLifetime((inputs, outputs)) {
      try pointers.withUnsafeMutableBufferPointer { table in
        guard let base = table.baseAddress else { return }
        try kernel.run(
          KernelArguments(
            inputs: base, outputs: base.advanced(by: inputs.count), inputCount: inputs.count,
            scratch: scratch.pointer, step: step, prepared: scratch.pointer))
      }
    }
  }

  // MARK: - Gradients of one node

  /// The program that computes the gradients of an op's wanted inputs from its inputs, its outputs and the gradients of
  /// those outputs that have one.
  func gradientProgram(
    of op: Op, _ attributes: Attributes, inputs: [ValueType], wanted: [Bool], incoming: [Bool]
  ) throws -> TapeProgram {
    let key = Key(op: op.name, attributes: attributes, inputs: inputs, wanted: wanted, incoming: incoming)
    if let program = gradientPrograms[key] { return program }
    let draft = GraphDraft()
    let symbols = inputs.enumerated().map { draft.input("x\($0)", $1) }
    let outputs = try draft.apply(op, symbols, attributes, path: op.name)
    let outputGradients = zip(outputs, incoming).enumerated().map { index, output in
      output.1 ? draft.input("gradient\(index)", output.0.type) : nil
    }
    let targets = zip(symbols, wanted).filter(\.1).map(\.0)
    var gradients = try draft.partialGradients(of: outputs, from: outputGradients, wrt: targets)[...]
    let program = TapeProgram(
      draft.graph, given: symbols + outputs + outputGradients.compactMap { $0 },
      results: wanted.map { $0 ? gradients.removeFirst() : nil })
    gradientPrograms[key] = program
    return program
  }
}
