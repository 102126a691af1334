import TensorCore

/// One way back through a history, on blocks of memory: for gradients that need no history of their own.
///
/// A value that was used more than once gets the sum of its contributions in one `add`, in the reverse order of its
/// uses. Contributions that are sums over rows are put off: together they are one sum over all rows.
///
/// It can be used again; its arrays are then there already.
final class GradientPass {
  /// A part of a gradient: a block, or a sum over rows that was put off.
  private enum Term {
    case block(Int)
    case rowSum(TapeOperation, inputs: [RowInput])
  }

  /// An input of a sum that was put off; its block, where it is one, is in use until then.
  private struct RowInput {
    let numbers: UnsafeMutablePointer<Float>
    let block: Int
  }

  private unowned let tape: Tape
  private unowned let history: TapeHistory
  private var blocks: GradientBlocks
  /// For each slot, the only part of the gradient, -1 where there is none, -2 where `terms` has several.
  private var single: [Int] = []
  private var terms: [Int: [Term]] = [:]
  /// The slots of targets: what they have is kept.
  private var isKept: [Bool] = []
  /// The values of the routine that runs.
  private var numbers: [UnsafeMutablePointer<Float>] = []
  private var places: [Int] = []

  init(_ history: TapeHistory, on tape: Tape) {
    (self.tape, self.history) = (tape, history)
    blocks = GradientBlocks(tape.memory)
  }

  /// The gradients of `output` by the targets, from that of `output` itself.
  func run(_ output: Tensor, seed: Tensor, targets: [Tensor]) throws -> [Tensor?] {
    single.append(contentsOf: repeatElement(-1, count: history.slotCount))
    isKept.append(contentsOf: repeatElement(false, count: history.slotCount))
    defer { reset() }
    for target in targets {
      let slot = history.slot(of: target)
      if slot >= 0 { isKept[slot] = true }
    }
    let slot = history.slot(of: output)
    if slot >= 0 {
      add(.block(try blocks.copy(seed.storage.pointer, seed.byteCount)), to: slot)
    }
    for position in history.nodes.indices { try visit(history.nodes[position], firstSlot: history.firstSlots[position]) }
    var known: [Int: Tensor] = [:]
    return try targets.map { target in
      let slot = history.slot(of: target)
      if slot < 0 { return nil }
      if let tensor = known[slot] { return tensor }
      let block = try total(slot, target.storage.form)
      guard block >= 0 else { return nil }
      let tensor = Tensor(try blocks.storage(target.storage.form, from: block))
      known[slot] = tensor
      return tensor
    }
  }

  private func reset() {
    blocks.releaseAll()
    single.removeAll(keepingCapacity: true)
    isKept.removeAll(keepingCapacity: true)
    terms.removeAll(keepingCapacity: true)
  }

  // MARK: - Nodes

  /// Adds a node's part to the gradients of its inputs.
  private func visit(_ node: TapeNode, firstSlot: Int) throws {
    var hasGradient: UInt64 = 0
    for output in 0..<node.outputCount where try total(firstSlot + output, node.storage(output).form) >= 0 {
      hasGradient |= 1 << UInt64(output)
    }
    let wanted = TapeOperation.bits(node.inputs.count) { history.slot(of: node.inputs[$0]) >= 0 }
    if hasGradient != 0, wanted != 0 {
      if case .operation(let operation) = node.computation {
        let program = try operation.gradientProgram(wanted: wanted, incoming: hasGradient)
        try node.checkUnchanged(program.readsGiven, by: operation.op.name)
        if let routine = try program.routine(batch: operation.batch, on: tape) {
          try run(routine, node, firstSlot)
        } else {
          try runOnTensors(node, firstSlot)
        }
      } else {
        try runOnTensors(node, firstSlot)
      }
    }
    for slot in firstSlot..<firstSlot + node.outputCount where single[slot] >= 0 && !isKept[slot] {
      blocks.release(single[slot])
      single[slot] = -1
    }
  }

  private func run(_ routine: TapeRoutine, _ node: TapeNode, _ firstSlot: Int) throws {
    if numbers.count < routine.values {
      numbers = [UnsafeMutablePointer<Float>](repeating: tape.scratch.pointer, count: routine.values)
      places = [Int](repeating: -1, count: routine.values)
    }
    give(routine, node, firstSlot)
    let first = blocks.count
    for step in routine.steps { try run(step) }
    let made = first..<blocks.count
    for (input, result) in routine.results.enumerated() {
      let slot = history.slot(of: node.inputs[input])
      if slot >= 0 { try add(result, of: node.inputs[input], to: slot) }
    }
    for block in made { blocks.release(block) }
  }

  /// Sets the values that a routine starts from: the node's inputs and outputs, and the gradients that came to it.
  private func give(_ routine: TapeRoutine, _ node: TapeNode, _ firstSlot: Int) {
    var next = 0
    func set(_ pointer: UnsafeMutablePointer<Float>, _ block: Int) {
      numbers[routine.given[next]] = pointer
      places[routine.given[next]] = block
      next += 1
    }
    for input in node.inputs { set(input.storage.pointer, -1) }
    for output in 0..<node.outputCount { set(node.storage(output).pointer, -1) }
    for slot in firstSlot..<firstSlot + node.outputCount where single[slot] >= 0 {
      set(blocks.pointer(single[slot]), single[slot])
    }
  }

  private func run(_ step: TapeRoutine.Step) throws {
    let table = tape.pointers(step.inputs.count + step.outputs.count)
    for (index, value) in step.inputs.enumerated() { table[index] = UnsafeMutableRawPointer(numbers[value]) }
    for (index, value) in step.outputs.enumerated() {
      let block = try blocks.take(step.operation.forms[index].byteCount)
      (numbers[value], places[value]) = (blocks.pointer(block), block)
      table[step.inputs.count + index] = UnsafeMutableRawPointer(blocks.pointer(block))
    }
    try tape.execute(step.operation, inputs: step.inputs.count)
  }

  /// Runs the gradient of a node that is no routine on tensors.
  private func runOnTensors(_ node: TapeNode, _ firstSlot: Int) throws {
    let incoming = try (0..<node.outputCount).map { output -> Tensor? in
      guard single[firstSlot + output] >= 0 else { return nil }
      let form = node.storage(output).form
      let block = try blocks.copy(blocks.pointer(single[firstSlot + output]), form.byteCount)
      return Tensor(try blocks.storage(form, from: block))
    }
    let slots = node.inputs.map { history.slot(of: $0) }
    let gradients = try tape.recording(false) {
      try tape.gradients(of: node, incoming, wanted: slots.map { $0 >= 0 })
    }
    for (slot, gradient) in zip(slots, gradients) where slot >= 0 {
      guard let gradient else { continue }
      add(.block(try blocks.copy(gradient.storage.pointer, gradient.byteCount)), to: slot)
    }
  }

  // MARK: - Sums

  private func add(_ result: TapeRoutine.Result, of input: Tensor, to slot: Int) throws {
    switch result {
    case .none: break
    case .value(let value):
      if places[value] >= 0 {
        blocks.use(places[value])
        add(.block(places[value]), to: slot)
      } else {
        add(.block(try blocks.copy(numbers[value], input.byteCount)), to: slot)
      }
    case .rowSum(let operation, let values):
      let inputs = values.map { RowInput(numbers: numbers[$0], block: places[$0]) }
      for input in inputs where input.block >= 0 { blocks.use(input.block) }
      add(.rowSum(operation, inputs: inputs), to: slot)
    }
  }

  private func add(_ term: Term, to slot: Int) {
    if single[slot] == -1, case .block(let block) = term {
      single[slot] = block
    } else {
      if single[slot] >= 0 { terms[slot] = [.block(single[slot])] }
      terms[slot, default: []].append(term)
      single[slot] = -2
    }
  }

  /// The gradient in a slot as one block; -1 where nothing came to it.
  private func total(_ slot: Int, _ form: TensorForm) throws -> Int {
    guard single[slot] == -2, let terms = terms.removeValue(forKey: slot) else { return single[slot] }
    var parts: [Int] = [], rowSums: [(operation: TapeOperation, inputs: [[RowInput]])] = []
    for term in terms {
      switch term {
      case .block(let block): parts.append(block)
      case .rowSum(let operation, let inputs):
        if let index = rowSums.firstIndex(where: { $0.operation === operation }) {
          rowSums[index].inputs.append(inputs)
        } else {
          rowSums.append((operation, [inputs]))
        }
      }
    }
    for (operation, inputs) in rowSums { parts.append(try total(operation, inputs)) }
    single[slot] = parts.count == 1 ? parts[0] : try sum(parts, form)
    return single[slot]
  }

  /// The sum of blocks in their order; ends their uses.
  private func sum(_ parts: [Int], _ form: TensorForm) throws -> Int {
    let result = try blocks.take(form.byteCount), table = tape.pointers(parts.count + 1)
    for (index, part) in parts.enumerated() { table[index] = UnsafeMutableRawPointer(blocks.pointer(part)) }
    table[parts.count] = UnsafeMutableRawPointer(blocks.pointer(result))
    try tape.execute(try tape.sum(form), inputs: parts.count)
    for part in parts { blocks.release(part) }
    return result
  }

  /// One sum over the rows of all inputs that were put off.
  private func total(_ operation: TapeOperation, _ inputs: [[RowInput]]) throws -> Int {
    let whole = try tape.stacked(operation, inputs.count), count = operation.inputs.count
    var stacks: [Int] = [], pointers: [UnsafeMutablePointer<Float>] = []
    for operand in 0..<count {
      guard inputs.count > 1 else {
        pointers.append(inputs[0][operand].numbers)
        continue
      }
      let form = TensorForm.of(operation.inputs[operand], batch: operation.batch), floats = form.storageElements
      let stack = try blocks.take(AlignedBuffer.bytes(floats * inputs.count))
      for (row, part) in inputs.enumerated() {
        blocks.pointer(stack).advanced(by: row * floats).update(from: part[operand].numbers, count: floats)
      }
      stacks.append(stack)
      pointers.append(blocks.pointer(stack))
    }
    let result = try blocks.take(whole.forms[0].byteCount), table = tape.pointers(count + 1)
    for (index, pointer) in pointers.enumerated() { table[index] = UnsafeMutableRawPointer(pointer) }
    table[count] = UnsafeMutableRawPointer(blocks.pointer(result))
    try tape.execute(whole, inputs: count)
    for stack in stacks { blocks.release(stack) }
    for part in inputs { for input in part where input.block >= 0 { blocks.release(input.block) } }
    return result
  }
}
