import Canonical
import Diagnostics
import TensorCore

/// Runs ops of the table at once, on tensors, and records what gradients need.
///
/// The kernels are those of plans, prepared once per op, attributes and shapes; so an eager computation gives the bits
/// of a plan that does the same without fusing. A computation is recorded when an input requires a gradient. A tape
/// serves one thread.
public final class Tape {
  /// What an operation, an expansion or a call of a layer was prepared for.
  private struct Key: Hashable {
    let op: String
    let attributes: Attributes
    let inputs: [ValueType]
    let batch: Int
    var mode: ExecutionMode?
  }

  /// What a layer's call without parameters becomes.
  private enum Call {
    case operation(TapeOperation)
    case program(TapeProgram, batch: Int)
  }

  let compute: Compute
  /// How layers behave that have more than one way: `training` or `inference`.
  public var mode: ExecutionMode = .training
  /// Whether computations are recorded.
  public private(set) var isRecording = true
  /// Gives the key of each use of random numbers.
  private var nextKey: () -> UInt64
  private var operations: [Key: TapeOperation] = [:]
  private var expansions: [Key: TapeProgram] = [:]
  private var calls: [Key: Call] = [:]
  private var scratch: AlignedBuffer
  private let memory: TapeMemory?
  private let buffers = BufferPool(mostBytes: 1 << 28)
  /// The most prepared operations, expansions or calls that are kept: shapes that change at every call must not pile up.
  private static let mostKept = 4096

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
    return try run(try operation(op, inputs, attributes, batch: batch), inputs, draw: draw)
  }

  /// The op prepared for these inputs.
  func operation(_ op: Op, _ inputs: [Tensor], _ attributes: Attributes, batch: Int = 1) throws -> TapeOperation {
    let types = inputs.map(\.type)
    let batch =
      inputs.first { $0.type.shape.hasBatch }?.batch
      ?? (op.name == Op.toBatch.name ? attributes.integer("n") : batch)
    let key = Key(op: op.name, attributes: attributes, inputs: types, batch: batch)
    if let operation = operations[key] { return operation }
    let outputs = try op.infer(OpUse(op: op, path: op.name, inputs: types, attributes: attributes))
    var kernel: Kernel?
    if op.isRepeatable || !op.updates.isEmpty {
      kernel = try prepare(op, types, outputs, attributes, batch, draw: op.isRepeatable ? 0 : nextKey())
    }
    let operation = TapeOperation(op, attributes, inputs: types, outputs: outputs, batch: batch, kernel: kernel)
    if operations.count >= Self.mostKept { operations = [:] }
    operations[key] = operation
    return operation
  }

  /// Runs a prepared op on inputs of its types.
  func run(_ operation: TapeOperation, _ inputs: [Tensor], draw: RandomDraw? = nil) throws -> [Tensor] {
    let outputs = try operation.outputs.map {
      try Tensor.Storage($0, batch: operation.batch, from: buffers, memory: memory)
    }
    let kernel =
      try operation.kernel
      ?? prepare(
        operation.op, operation.inputs, operation.outputs, operation.attributes, operation.batch,
        draw: draw?.key ?? nextKey())
    if kernel.scratchFloats > scratch.count { scratch = try AlignedBuffer(count: kernel.scratchFloats) }
    try run(kernel, inputs, outputs, step: draw?.step ?? 0)
    let updates = operation.op.updates
    if !updates.isEmpty { for position in updates { inputs[position].storage.noteChange() } }
    guard isRecording, updates.isEmpty, inputs.contains(where: \.requiresGradient) else {
      return outputs.map { Tensor($0) }
    }
    let node = TapeNode(.operation(operation), inputs: inputs, outputs: outputs, memory: memory)
    return outputs.indices.map(node.tensor)
  }

  private func prepare(
    _ op: Op, _ inputs: [ValueType], _ outputs: [ValueType], _ attributes: Attributes, _ batch: Int, draw: UInt64
  ) throws -> Kernel {
    guard let prepare = op.kernel else { throw Fault(.internal, "\(op.name) has no kernel") }
    return try prepare(
      KernelSite(
        inputs: inputs, outputs: outputs, isRead: outputs.map { _ in true }, attributes: attributes, batch: batch,
        compute: compute, randomKey: draw))
  }

  private func run(_ kernel: Kernel, _ inputs: [Tensor], _ outputs: [Tensor.Storage], step: Int) throws {
    let count = inputs.count + outputs.count
    try withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer.self, capacity: count) { table in
      guard let base = table.baseAddress else { return }
      for (index, input) in inputs.enumerated() {
        (base + index).initialize(to: UnsafeMutableRawPointer(input.storage.buffer.pointer))
      }
      for (index, output) in outputs.enumerated() {
        (base + (inputs.count + index)).initialize(to: UnsafeMutableRawPointer(output.buffer.pointer))
      }
      try withExtendedLifetime((inputs, outputs)) {
        try kernel.run(
          KernelArguments(
            inputs: base, outputs: base + inputs.count, inputCount: inputs.count, scratch: scratch.pointer,
            step: step, prepared: scratch.pointer))
      }
    }
  }

  // MARK: - Layers

  /// What a layer becomes in the tape's mode, run op by op.
  func expand(_ op: Op, _ inputs: [Tensor], _ attributes: Attributes, batch: Int = 1) throws -> [Tensor] {
    guard op.expansion != nil else { return try compute(op, inputs, attributes, batch: batch) }
    let batch = inputs.first { $0.type.shape.hasBatch }?.batch ?? batch
    return try expansion(op, inputs, attributes).run(inputs, batch: batch, on: self).compactMap { $0 }
  }

  private func expansion(_ op: Op, _ inputs: [Tensor], _ attributes: Attributes) throws -> TapeProgram {
    let key = Key(op: op.name, attributes: attributes, inputs: inputs.map(\.type), batch: 0, mode: mode)
    if let program = expansions[key] { return program }
    guard let expansion = op.expansion else { throw Fault(.internal, "\(op.name) does not expand") }
    let draft = GraphDraft()
    let symbols = inputs.enumerated().map { draft.input("x\($0)", $1.type) }
    let results = try expansion(
      ExpansionSite(draft: draft, mode: mode, path: op.name, attributes: attributes, inputs: symbols))
    let program = TapeProgram(draft.graph, given: symbols, results: results)
    if expansions.count >= Self.mostKept { expansions = [:] }
    expansions[key] = program
    return program
  }

  /// The first output of a layer whose call with these attributes and such inputs was prepared before; nil for another.
  func applyPrepared(_ op: Op, _ inputs: [Tensor], _ given: [String: JSONValue]) throws -> Tensor? {
    guard let call = calls[callKey(op, inputs, given)] else { return nil }
    do {
      switch call {
      case .operation(let operation): return try run(operation, inputs)[0]
      case .program(let program, let batch): return try program.run(inputs, batch: batch, on: self)[0]
      }
    } catch var fault as Fault where fault.code == .data && fault.path == nil {
      fault.message = "\(op.name): \(fault.message)"
      throw fault
    }
  }

  /// Keeps what a layer without parameters became, so that the next such call need not check anything.
  func keepPrepared(_ op: Op, _ inputs: [Tensor], _ given: [String: JSONValue], _ attributes: Attributes) throws {
    let batch = inputs.first { $0.type.shape.hasBatch }?.batch ?? 1
    if calls.count >= Self.mostKept { calls = [:] }
    calls[callKey(op, inputs, given)] =
      op.expansion == nil
      ? .operation(try operation(op, inputs, attributes))
      : .program(try expansion(op, inputs, attributes), batch: batch)
  }

  private func callKey(_ op: Op, _ inputs: [Tensor], _ given: [String: JSONValue]) -> Key {
    let batch = inputs.first { $0.type.shape.hasBatch }?.batch ?? 1
    return Key(op: op.name, attributes: Attributes(given), inputs: inputs.map(\.type), batch: batch, mode: mode)
  }

  /// The tensor that a computation outside of the op table gave, with its history.
  func record(_ function: any TapeFunction, inputs: [Tensor], output: Tensor.Storage) -> Tensor {
    guard isRecording, inputs.contains(where: \.requiresGradient) else { return Tensor(output) }
    return TapeNode(.function(function), inputs: inputs, outputs: [output], memory: memory).tensor(0)
  }
}
