import TensorCore

/// One way back through a history, on blocks of memory: for gradients that need no history of their own.
///
/// A value that was used more than once gets the sum of its contributions in one `add`, in the reverse order of its
/// uses. Contributions that are sums over rows are put off: together they are one sum over all rows.
///
/// It can be used again; its arrays are then there already.
struct GradientPass {
  /// A part of a gradient: a block, or a sum over rows that was put off.
  private struct Term {
    var block = -1
    var rowSum = -1
    /// The next part of the same gradient; -1 at the end.
    var next = -1
  }

  /// A sum over rows that was put off: its inputs are `rowInputs` from `first` on.
  private struct RowSum {
    /// A routine has it.
    let operation: Unmanaged<TapeOperation>
    let first: Int
  }

  /// An input of a sum that was put off; its block, where it is one, is in use until then.
  private struct RowInput {
    let numbers: UnsafeMutablePointer<Float>
    let block: Int
  }

  /// The history's number.
  private var history = 0
  private var blocks: GradientBlocks
  /// For each slot, the only part of the gradient, -1 where there is none, -2 where `terms` has several.
  private var single: [Int] = []
  /// For each slot, the first and the last of several terms.
  private var firstTerms: [Int] = []
  private var lastTerms: [Int] = []
  private var terms: [Term] = []
  private var rowSums: [RowSum] = []
  private var rowInputs: [RowInput] = []
  /// The blocks of one sum.
  private var summands: [Int] = []
  /// The slots of targets: what they have is kept.
  private var isKept: [Bool] = []
  /// The slots of the inputs of the node that is visited.
  private var slots: [Int] = []
  /// The values of the routine that runs.
  private var numbers: [UnsafeMutablePointer<Float>] = []
  private var places: [Int] = []

  /// A way back that takes its blocks from a tape's memory.
  init(_ memory: TapeMemory) { blocks = GradientBlocks(memory) }

  /// The gradients of `output`, whose history it is, by the targets, from that of `output` itself.
  mutating func run(
    _ history: TapeHistory, _ output: Tensor, seed: Tensor, targets: [Tensor], on tape: Tape
  ) throws -> [Tensor?] {
    self.history = history.number
    single.append(contentsOf: repeatElement(-1, count: history.slotCount))
    firstTerms.append(contentsOf: repeatElement(-1, count: history.slotCount))
    lastTerms.append(contentsOf: repeatElement(-1, count: history.slotCount))
    isKept.append(contentsOf: repeatElement(false, count: history.slotCount))
    defer { reset() }
    for target in targets {
      let slot = history.slot(of: target)
      if slot >= 0 { isKept[slot] = true }
    }
    let slot = history.slot(of: output)
    if slot >= 0 {
      add(block: try blocks.copy(seed.storage.pointer, seed.byteCount), to: slot)
    }
    for node in history.nodes { try node._withUnsafeGuaranteedRef { try visit($0, on: tape) } }
    var known: [Int: Tensor] = [:]
    return try targets.map { target in
      let slot = history.slot(of: target)
      if slot < 0 { return nil }
      if let tensor = known[slot] { return tensor }
      let block = try total(slot, target.storage.form, on: tape)
      guard block >= 0 else { return nil }
      let tensor = Tensor(try blocks.storage(target.storage.form, from: block))
      known[slot] = tensor
      return tensor
    }
  }

  private mutating func reset() {
    blocks.releaseAll()
    single.removeAll(keepingCapacity: true)
    firstTerms.removeAll(keepingCapacity: true)
    lastTerms.removeAll(keepingCapacity: true)
    terms.removeAll(keepingCapacity: true)
    rowSums.removeAll(keepingCapacity: true)
    rowInputs.removeAll(keepingCapacity: true)
    isKept.removeAll(keepingCapacity: true)
  }

  // MARK: - Nodes

  /// Adds a node's part to the gradients of its inputs.
  private mutating func visit(_ node: TapeNode, on tape: Tape) throws {
    let firstSlot = node.firstSlot
    var hasGradient: UInt64 = 0
    for output in 0..<node.outputCount
    where try total(firstSlot + output, node.storage(output).form, on: tape) >= 0 {
      hasGradient |= 1 << UInt64(output)
    }
    slots.removeAll(keepingCapacity: true)
    node.forEachInput { slots.append(TapeHistory.slot(of: $0, in: history)) }
    let wanted = TapeOperation.bits(slots.count) { slots[$0] >= 0 }
    if hasGradient != 0, wanted != 0 { try addGradients(of: node, wanted, hasGradient, on: tape) }
    for slot in firstSlot..<firstSlot + node.outputCount where single[slot] >= 0 && !isKept[slot] {
      blocks.release(single[slot])
      single[slot] = -1
    }
  }

  /// Adds the gradients of a node's inputs.
  private mutating func addGradients(
    of node: TapeNode, _ wanted: UInt64, _ incoming: UInt64, on tape: Tape
  ) throws {
    guard let operation = node.operation else { return try runOnTensors(node, on: tape) }
    let gradient = try operation.gradient(wanted: wanted, incoming: incoming)
    try node.checkUnchanged(gradient.program.readsGiven, by: operation.op.name)
    guard let routine = try gradient.routine(batch: operation.batch, on: tape) else {
      return try runOnTensors(node, on: tape)
    }
    try run(routine, node, on: tape)
  }

  private mutating func run(_ routine: TapeRoutine, _ node: TapeNode, on tape: Tape) throws {
    if numbers.count < routine.values {
      numbers = [UnsafeMutablePointer<Float>](repeating: tape.scratch, count: routine.values)
      places = [Int](repeating: -1, count: routine.values)
    }
    give(routine, node)
    let first = blocks.count
    for index in routine.steps.indices { try run(routine.steps[index], routine, on: tape) }
    let made = first..<blocks.count
    for input in slots.indices where slots[input] >= 0 {
      try add(routine.results[input], routine, bytes: node.inputs[input].byteCount, to: slots[input])
    }
    for block in made { blocks.release(block) }
  }

  /// Sets the values that a routine starts from: the node's inputs and outputs, and the gradients that came to it.
  private mutating func give(_ routine: TapeRoutine, _ node: TapeNode) {
    let firstSlot = node.firstSlot
    var next = 0
    func set(_ pointer: UnsafeMutablePointer<Float>, _ block: Int) {
      numbers[routine.given[next]] = pointer
      places[routine.given[next]] = block
      next += 1
    }
    node.forEachInput { set($0.storage.pointer, -1) }
    for output in 0..<node.outputCount { set(node.storage(output).pointer, -1) }
    for slot in firstSlot..<firstSlot + node.outputCount where single[slot] >= 0 {
      set(blocks.pointer(single[slot]), single[slot])
    }
  }

  private mutating func run(_ step: TapeRoutine.Step, _ routine: TapeRoutine, on tape: Tape) throws {
    let inputs = step.inputs.count, table = tape.pointers(inputs + step.outputs.count)
    for (index, place) in step.inputs.enumerated() {
      table[index] = UnsafeMutableRawPointer(numbers[routine.operands[place]])
    }
    try step.operation._withUnsafeGuaranteedRef { operation in
      for (index, place) in step.outputs.enumerated() {
        let block = try blocks.take(operation.forms[index].byteCount), value = routine.operands[place]
        (numbers[value], places[value]) = (blocks.pointer(block), block)
        table[inputs + index] = UnsafeMutableRawPointer(blocks.pointer(block))
      }
      try tape.execute(operation, inputs: inputs)
    }
  }

  /// Runs the gradient of a node that is no routine on tensors.
  private mutating func runOnTensors(_ node: TapeNode, on tape: Tape) throws {
    let firstSlot = node.firstSlot
    let incoming = try (0..<node.outputCount).map { output -> Tensor? in
      guard single[firstSlot + output] >= 0 else { return nil }
      let form = node.storage(output).form
      let block = try blocks.copy(blocks.pointer(single[firstSlot + output]), form.byteCount)
      return Tensor(try blocks.storage(form, from: block))
    }
    let slots = slots
    let gradients = try tape.recording(false) {
      try tape.gradients(of: node, incoming, wanted: slots.map { $0 >= 0 })
    }
    for (slot, gradient) in zip(slots, gradients) where slot >= 0 {
      guard let gradient else { continue }
      add(block: try blocks.copy(gradient.storage.pointer, gradient.byteCount), to: slot)
    }
  }

  // MARK: - Sums

  private mutating func add(
    _ result: TapeRoutine.Result, _ routine: TapeRoutine, bytes: @autoclosure () -> Int, to slot: Int
  ) throws {
    switch result {
    case .none: break
    case .value(let value):
      if places[value] >= 0 {
        blocks.use(places[value])
        add(block: places[value], to: slot)
      } else {
        add(block: try blocks.copy(numbers[value], bytes()), to: slot)
      }
    case .rowSum(let step):
      add(Term(rowSum: rowSums.count), to: slot)
      rowSums.append(RowSum(operation: step.operation, first: rowInputs.count))
      for place in step.inputs {
        let value = routine.operands[place]
        if places[value] >= 0 { blocks.use(places[value]) }
        rowInputs.append(RowInput(numbers: numbers[value], block: places[value]))
      }
    }
  }

  private mutating func add(block: Int, to slot: Int) {
    if single[slot] == -1 { single[slot] = block } else { add(Term(block: block), to: slot) }
  }

  private mutating func add(_ term: Term, to slot: Int) {
    if single[slot] != -2 {
      let only = single[slot]
      single[slot] = -2
      if only >= 0 { add(Term(block: only), to: slot) }
    }
    terms.append(term)
    if firstTerms[slot] < 0 {
      firstTerms[slot] = terms.count - 1
    } else {
      terms[lastTerms[slot]].next = terms.count - 1
    }
    lastTerms[slot] = terms.count - 1
  }

  /// The gradient in a slot as one block; -1 where nothing came to it.
  private mutating func total(
    _ slot: Int, _ form: @autoclosure () -> TensorForm, on tape: Tape
  ) throws -> Int {
    guard single[slot] == -2 else { return single[slot] }
    var groups: [(operation: TapeOperation, firsts: [Int])] = []
    summands.removeAll(keepingCapacity: true)
    var index = firstTerms[slot]
    while index >= 0 {
      let term = terms[index]
      index = term.next
      if term.block >= 0 {
        summands.append(term.block)
        continue
      }
      let sum = rowSums[term.rowSum]
      let operation = sum.operation.takeUnretainedValue()
      if let group = groups.firstIndex(where: { $0.operation === operation }) {
        groups[group].firsts.append(sum.first)
      } else {
        groups.append((operation, [sum.first]))
      }
    }
    for group in groups { summands.append(try total(group.operation, group.firsts, on: tape)) }
    single[slot] = summands.count == 1 ? summands[0] : try sumOfSummands(form(), on: tape)
    firstTerms[slot] = -1
    return single[slot]
  }

  /// The sum of blocks in their order; ends their uses.
  private mutating func sumOfSummands(_ form: TensorForm, on tape: Tape) throws -> Int {
    let result = try blocks.take(form.byteCount), count = summands.count, table = tape.pointers(count + 1)
    for index in 0..<count { table[index] = UnsafeMutableRawPointer(blocks.pointer(summands[index])) }
    table[count] = UnsafeMutableRawPointer(blocks.pointer(result))
    try tape.execute(try tape.sum(form), inputs: count)
    for index in 0..<count { blocks.release(summands[index]) }
    return result
  }

  /// One sum over the rows of all inputs that were put off: for each sum, where its inputs begin.
  private mutating func total(_ operation: TapeOperation, _ firsts: [Int], on tape: Tape) throws -> Int {
    let whole = try tape.stacked(operation, firsts.count), count = operation.inputs.count
    var stacks: [Int] = [], pointers: [UnsafeMutablePointer<Float>] = []
    for operand in 0..<count {
      guard firsts.count > 1 else {
        pointers.append(rowInputs[firsts[0] + operand].numbers)
        continue
      }
      let form = TensorForm.of(operation.inputs[operand], batch: operation.batch), floats = form.storageElements
      let stack = try blocks.take(AlignedBuffer.bytes(floats * firsts.count))
      for (row, first) in firsts.enumerated() {
        blocks.pointer(stack).advanced(by: row * floats).update(from: rowInputs[first + operand].numbers, count: floats)
      }
      stacks.append(stack)
      pointers.append(blocks.pointer(stack))
    }
    let result = try blocks.take(whole.forms[0].byteCount), table = tape.pointers(count + 1)
    for (index, pointer) in pointers.enumerated() { table[index] = UnsafeMutableRawPointer(pointer) }
    table[count] = UnsafeMutableRawPointer(blocks.pointer(result))
    try tape.execute(whole, inputs: count)
    for stack in stacks { blocks.release(stack) }
    for first in firsts {
      for input in rowInputs[first..<first + count] where input.block >= 0 { blocks.release(input.block) }
    }
    return result
  }
}
