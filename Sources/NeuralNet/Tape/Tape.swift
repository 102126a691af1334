import Canonical
import Diagnostics
import TensorCore

/// Runs ops of the table at once, on tensors, and records what gradients need.
///
/// The kernels are those of plans, prepared once per op, attributes and shapes; so an eager computation gives the bits
/// of a plan that does the same without fusing. A computation is recorded when an input requires a gradient. A tape
/// serves one thread.
public final class Tape {
  /// What an operation or an expansion was prepared for.
  private struct Key: Hashable {
    let op: String
    let attributes: Attributes
    let inputs: [ValueType]
    let batch: Int
    var mode: ExecutionMode?
  }

  let compute: Compute
  /// How layers behave that have more than one way: `training` or `inference`.
  public var mode: ExecutionMode = .training { didSet { calls.mode = mode } }
  /// Whether computations are recorded.
  public private(set) var isRecording = true
  /// Gives the key of each use of random numbers.
  private var nextKey: () -> UInt64
  private var operations: [Key: TapeOperation] = [:]
  private var expansions: [Key: TapeProgram] = [:]
  /// The sums of values of one form, by the form's number.
  private var sums: [UInt64: TapeOperation] = [:]
  var calls = TapeCalls()
  private var scratchBuffer: AlignedBuffer
  /// The buffer's floats, and how many there are.
  private(set) var scratch: UnsafeMutablePointer<Float>
  private var scratchFloats = 0
  /// The buffers of the kernel that runs.
  private var table: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
  let memory: TapeMemory
  /// What the last way back through a history used.
  private var idleHistory: TapeHistory?
  /// The most prepared operations, expansions or calls that are kept: shapes that change at every call must not pile up.
  static let mostKept = 4096

  /// Makes a tape.
  ///
  /// - Parameters:
  ///   - memoryChanged: is told of the bytes of all values that the tape computed and that somebody, a tensor's history
  ///     for example, still holds: of each change, as soon as it is 64 KiB, or in `tellMemory`.
  ///   - keys: gives a number whenever an op draws random numbers.
  public init(
    compute: Compute, memoryChanged: ((Int) -> Void)? = nil, keys: @escaping () -> UInt64
  ) throws {
    nextKey = keys
    memory = TapeMemory(memoryChanged)
    self.compute = compute
    scratchBuffer = try AlignedBuffer(count: 0)
    scratch = scratchBuffer.pointer
    table = .allocate(capacity: 64)
  }

  deinit { table.deallocate() }

  /// Tells of changes of the memory that are too small to have been told yet.
  public func tellMemory() { memory.tell() }

  /// Gives arrays for a way back through a history.
  func takeHistory() -> TapeHistory {
    defer { idleHistory = nil }
    return idleHistory ?? TapeHistory()
  }

  /// Takes them back for the next.
  func giveBack(_ history: TapeHistory) {
    history.close()
    idleHistory = history
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
    let batch =
      inputs.first { $0.type.shape.hasBatch }?.batch
      ?? (op.name == Op.toBatch.name ? attributes.integer("n") : batch)
    return try run(try operation(op, inputs.map(\.type), attributes, batch: batch), inputs, draw: draw)
  }

  /// The op prepared for inputs of these types.
  func operation(_ op: Op, _ types: [ValueType], _ attributes: Attributes, batch: Int) throws -> TapeOperation {
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

  /// The sum of any number of values of a form.
  func sum(_ form: TensorForm) throws -> TapeOperation {
    if let sum = sums[form.number] { return sum }
    let sum = try operation(.add, [form.type, form.type], Attributes(), batch: form.batch)
    if sums.count >= Self.mostKept { sums = [:] }
    sums[form.number] = sum
    return sum
  }

  /// An op that sums over the rows of its inputs, prepared for the rows of `count` such inputs one after the other.
  func stacked(_ operation: TapeOperation, _ count: Int) throws -> TapeOperation {
    if count == 1 { return operation }
    if let known = operation.stacks[count] { return known }
    let types = operation.inputs.map { type in
      let shape = type.shape
      guard !shape.hasBatch else { return type }
      return ValueType(.array([count * shape.dimensions[0]] + shape.dimensions.dropFirst()), type.element)
    }
    let whole = try self.operation(operation.op, types, operation.attributes, batch: count * operation.batch)
    if operation.stacks.count >= 64 { operation.stacks = [:] }
    operation.stacks[count] = whole
    return whole
  }

  /// Runs a prepared op on inputs of its types; its first outputs, all where no number is given.
  func run(
    _ operation: TapeOperation, _ inputs: [Tensor], draw: RandomDraw? = nil, outputs count: Int? = nil
  ) throws -> [Tensor] {
    let count = count ?? operation.forms.count
    // Only what updates statistics gives nothing.
    guard let form = operation.forms.first else {
      try write(nil, [], operation, inputs, draw)
      return []
    }
    let output = try storage(form), others = try operation.otherForms.map(storage)
    try write(output, others, operation, inputs, draw)
    guard isRecorded(operation, inputs) else { return ([output] + others).prefix(count).map { Tensor($0) } }
    let node = TapeNode(operation, inputs: inputs, output: output, others: others, memory: memory)
    return (0..<count).map(node.tensor)
  }

  /// The first output of a prepared op.
  func runForOne(_ operation: TapeOperation, _ inputs: [Tensor]) throws -> Tensor {
    guard operation.forms.count == 1 else { return try run(operation, inputs)[0] }
    let output = try storage(operation.forms[0])
    try write(output, [], operation, inputs)
    guard isRecorded(operation, inputs) else { return Tensor(output) }
    let node = TapeNode(operation, inputs: inputs, output: output, memory: memory)
    return Tensor(output, producer: node, output: 0)
  }

  private func isRecorded(_ operation: TapeOperation, _ inputs: [Tensor]) -> Bool {
    guard isRecording, operation.updates.isEmpty else { return false }
    for input in inputs where input.requiresGradient { return true }
    return false
  }

  /// Memory for a value that a kernel will write.
  private func storage(_ form: TensorForm) throws -> Tensor.Storage {
    Tensor.Storage(form, block: try memory.take(form.byteCount), of: memory)
  }

  /// Runs a prepared op: writes its first output and the others. Who calls it has all of them until it is done.
  private func write(
    _ output: Tensor.Storage?, _ others: [Tensor.Storage], _ operation: TapeOperation, _ inputs: [Tensor],
    _ draw: RandomDraw? = nil
  ) throws {
    let count = inputs.count, table = pointers(count + 1 + others.count)
    for index in 0..<count { table[index] = UnsafeMutableRawPointer(inputs[index].storage.pointer) }
    if let output { table[count] = UnsafeMutableRawPointer(output.pointer) }
    for index in others.indices { table[count + 1 + index] = UnsafeMutableRawPointer(others[index].pointer) }
    try execute(operation, inputs: count, draw)
    for position in operation.updates { inputs[position].storage.noteChange() }
  }

  /// Room for the addresses of a kernel's inputs and outputs, which `execute` then reads.
  func pointers(_ count: Int) -> UnsafeMutablePointer<UnsafeMutableRawPointer> {
    if count > table.count {
      table.deallocate()
      table = .allocate(capacity: 2 * count)
    }
    return table.baseAddress!
  }

  /// Runs the kernel of a prepared op on the buffers in `pointers`: so many inputs, then the outputs.
  func execute(_ operation: TapeOperation, inputs count: Int, _ draw: RandomDraw? = nil) throws {
    let table = table.baseAddress!
    if let run = operation.run {
      try makeScratch(operation.scratchFloats)
      return try run(arguments(table, count, step: draw?.step ?? 0))
    }
    let kernel = try prepare(
      operation.op, operation.inputs, operation.outputs, operation.attributes, operation.batch,
      draw: draw?.key ?? nextKey())
    try makeScratch(kernel.scratchFloats)
    try kernel.run(arguments(table, count, step: draw?.step ?? 0))
  }

  private func makeScratch(_ floats: Int) throws {
    guard floats > scratchFloats else { return }
    scratchBuffer = try AlignedBuffer(count: floats)
    (scratch, scratchFloats) = (scratchBuffer.pointer, floats)
  }

  private func arguments(
    _ table: UnsafeMutablePointer<UnsafeMutableRawPointer>, _ count: Int, step: Int
  ) -> KernelArguments {
    KernelArguments(
      inputs: table, outputs: table + count, inputCount: count, scratch: scratch, step: step, prepared: scratch)
  }

  private func prepare(
    _ op: Op, _ inputs: [ValueType], _ outputs: [ValueType], _ attributes: Attributes, _ batch: Int, draw: UInt64
  ) throws -> Kernel {
    guard let prepare = op.kernel else { throw Fault(.internal, "\(op.name) has no kernel") }
    return try prepare(
      KernelSite(
        inputs: inputs, outputs: outputs, isRead: outputs.map { _ in true }, attributes: attributes, batch: batch,
        compute: compute, precision: .single, randomKey: draw))
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

  /// What the call of a layer without parameters becomes in the tape's mode.
  func prepared(_ op: Op, _ inputs: [Tensor], _ attributes: Attributes) throws -> TapeCalls.Call {
    let batch = inputs.first { $0.type.shape.hasBatch }?.batch ?? 1
    if op.expansion == nil {
      return .operation(try operation(op, inputs.map(\.type), attributes, batch: batch))
    }
    let program = try expansion(op, inputs, attributes)
    return try program.onlyOperation(batch: batch, on: self).map { .operation($0) } ?? .program(program, batch: batch)
  }

  /// The tensor that a computation outside of the op table gave, with its history.
  func record(_ function: any TapeFunction, inputs: [Tensor], output: Tensor.Storage) -> Tensor {
    guard isRecording, inputs.contains(where: \.requiresGradient) else { return Tensor(output) }
    return TapeNode(function, inputs: inputs, output: output, memory: memory).tensor(0)
  }
}
