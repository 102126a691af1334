import Diagnostics
import TensorCore

/// A graph compiled for one batch size: nodes in a fixed order, every buffer placed ahead, kernels prepared.
///
/// Running it makes calls over raw pointers and allocates nothing. The order is the graph's; a value's buffer is free
/// again after its last reader; an op that may works in place. Parameters are read where a `Weights` holds them, their
/// gradients are written to one flat buffer of the same layout.
package final class Plan {
  /// Where the bytes of a value are.
  private enum Place {
    case arena(Int)
    case parameter(Int)
    case gradient(Int)
  }

  /// One prepared call.
  private struct Call {
    let run: (KernelArguments) throws -> Void
    /// Work on the parameters alone, and where its memory starts; done again when they have changed.
    let preparation: Kernel.Preparation?
    let preparedOffset: Int
    /// Its place among all calls.
    let number: Int
    /// The first input's place in the pointer table; outputs follow inputs.
    let firstInput: Int
    let firstOutput: Int
    /// The node in the graph.
    let node: Int
    var inputCount: Int
  }

  package let graph: Graph
  /// Whether a run changes running statistics.
  private let updatesParameters: Bool
  let batch: Int
  let compute: Compute
  let precision: ExecutionMode.Precision
  let layout: ParameterLayout
  /// The gradients of the parameters, laid out as the trained part of the weights.
  let gradients: AlignedBuffer
  /// For the index of a parameter that can have a gradient, the gradient's value.
  private let gradientValues: [Int: Int]
  private let arena: AlignedBuffer
  private let scratch: UnsafeMutablePointer<Float>
  private let prepared: AlignedBuffer
  /// For each call, the version of the weights that it is prepared for; -1 for none.
  private var preparedVersions: [Int] = []
  private var places: [Int: Place] = [:]
  /// Every node that can run.
  private var calls: [Call] = []
  /// What runs: all calls, or those of the selected path.
  private var active: [Call] = []
  private let resolver: PathResolver?
  /// The path that was selected last; nil before, and for a graph without choices.
  private var path: PathResolver.Path?
  /// For each call's inputs and outputs, a pointer.
  private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// The entries of `pointers` that move with the weights, and their offsets.
  private var weightPointers: [(index: Int, offset: Int)] = []
  private var bound: Weights?
  /// The version of the weights in the run that goes on.
  private var version = 0
  /// The nodes in the order in which they run.
  var nodes: [Int] { calls.map(\.node) }
  /// The ops in the order in which they run, with their paths.
  package private(set) var steps: [(op: String, path: String)] = []

  /// Compiles a graph that is expanded for its mode.
  ///
  /// - Parameters:
  ///   - kept: values to keep until the end of a run: what is read from outside.
  ///   - gradientValues: for a parameter's index, the value that is its gradient.
  ///   - random: the seed and stream name of random masks.
  ///   - sharesMemory: false gives every value a buffer of its own, for checking that sharing changes nothing.
  ///   - fuses: false runs each node by itself, with the bits of the tape.
  ///   - precision: what the operands of matrix products are rounded to.
  init(
    _ graph: Graph, batch: Int, kept: [Int], gradientValues: [Int: Int] = [:], random: RandomSource,
    sharesMemory: Bool = true, fuses: Bool = true, precision: ExecutionMode.Precision = .single, compute: Compute
  ) throws {
    guard (1...Op.largestExtent).contains(batch) else {
      throw Fault(.recipe, "wrong batch size", expected: "1 to \(Op.largestExtent)", got: "\(batch)")
    }
    let updatesParameters = graph.nodes.contains { !$0.op.updates.isEmpty }
    let graph =
      fuses
      ? Fusion.fused(
        graph, kept: Set(kept).union(gradientValues.values),
        changesParameters: updatesParameters || !gradientValues.isEmpty) : graph
    let schedule = PlanSchedule(
      graph, batch: batch, kept: kept, external: Set(gradientValues.values), sharesMemory: sharesMemory)
    let kernels = try schedule.nodes.map {
      try Self.kernel(graph, $0, batch, random, compute, precision, schedule.isRead)
    }
    let scratchFloats = roundedToVectors(kernels.map(\.scratchFloats).max() ?? 0)
    self.graph = graph
    self.updatesParameters = updatesParameters
    self.batch = batch
    (self.compute, self.precision) = (compute, precision)
    self.gradientValues = gradientValues
    resolver =
      PathResolver.isNeeded(for: graph)
      ? PathResolver(graph, nodes: schedule.nodes, kept: kept, external: Set(gradientValues.values)) : nil
    layout = ParameterLayout(graph)
    arena = try AlignedBuffer(count: schedule.floats + scratchFloats, start: .anything)
    scratch = arena.pointer.advanced(by: schedule.floats)
    prepared = try AlignedBuffer(count: kernels.reduce(0) { $0 + roundedToVectors($1.preparation?.floats ?? 0) })
    gradients = try AlignedBuffer(count: gradientValues.isEmpty ? 0 : layout.trainedFloats)
    let count = schedule.nodes.reduce(0) { $0 + graph.nodes[$1].inputs.count + graph.nodes[$1].outputs.count }
    pointers = .allocate(capacity: max(1, count))
    pointers.initialize(repeating: UnsafeMutableRawPointer(arena.pointer), count: max(1, count))
    for (value, offset) in schedule.offsets { places[value] = .arena(offset) }
    for parameter in graph.parameters.indices {
      places[graph.parameters[parameter].value] = .parameter(layout.entries[parameter].offset)
    }
    for (parameter, value) in gradientValues { places[value] = .gradient(layout.entries[parameter].offset) }
    link(schedule.nodes, kernels)
    clearInputs()
  }

  deinit { pointers.deallocate() }

  /// Bytes of activations, scratch memory and prepared weights.
  var arenaBytes: Int { arena.byteCount + (prepared.count == 0 ? 0 : prepared.byteCount) }

  /// Runs every call once on the parameters of `weights`.
  func run(_ weights: Weights, step: Int) throws {
    try bind(weights)
    try active.withUnsafeBufferPointer { calls in
      for index in calls.indices { try run(calls[index], step: step) }
    }
    if updatesParameters { weights.noteChange() }
  }

  /// Runs the nodes in a range of the graph alone: what they read from others must be there from a run before.
  func run(_ weights: Weights, step: Int, nodes: Range<Int>) throws {
    try bind(weights)
    for call in active where nodes.contains(call.node) { try run(call, step: step) }
    if updatesParameters { weights.noteChange() }
  }

  /// Runs the calls one by one, each through `around`, which gets its number in `steps`: for finding where the time goes.
  package func profile(
    _ weights: Weights, step: Int, around: (_ call: Int, _ run: () throws -> Void) throws -> Void
  ) throws {
    try bind(weights)
    for (index, call) in active.enumerated() { try around(index) { try run(call, step: step) } }
  }

  private func run(_ call: borrowing Call, step: Int) throws {
    do {
      let arguments = KernelArguments(
        inputs: pointers.advanced(by: call.firstInput), outputs: pointers.advanced(by: call.firstOutput),
        inputCount: call.inputCount, scratch: scratch, step: step,
        prepared: prepared.pointer.advanced(by: call.preparedOffset))
      if let preparation = call.preparation, preparedVersions[call.number] != version {
        preparation.run(arguments)
        preparedVersions[call.number] = version
      }
      try call.run(arguments)
    } catch var fault as Fault where fault.path == nil {
      fault.path = graph.nodes[call.node].path
      throw fault
    }
  }

  /// The buffer of a value, channel-padded. Kept values are valid after a run, inputs before it.
  func buffer(_ value: Int) -> UnsafeMutableRawPointer? {
    guard let path else { return pointer(to: value) }
    return path.roots[value].flatMap { pointer(to: $0) }
  }

  private func pointer(to value: Int) -> UnsafeMutableRawPointer? {
    switch places[value] {
    case .arena(let offset): UnsafeMutableRawPointer(arena.pointer.advanced(by: offset))
    case .gradient(let offset): UnsafeMutableRawPointer(gradients.pointer.advanced(by: offset))
    case .parameter(let offset):
      bound.map { UnsafeMutableRawPointer(mutating: $0.values.advanced(by: offset)) }
    case nil: nil
    }
  }

  private static func kernel(
    _ graph: Graph, _ index: Int, _ batch: Int, _ random: RandomSource, _ compute: Compute,
    _ precision: ExecutionMode.Precision, _ isRead: [Bool]
  ) throws -> Kernel {
    let node = graph.nodes[index]
    if node.op.name == Op.chosenGradient.name { return Kernel { _ in } }
    guard let prepare = node.op.kernel else {
      throw Fault(.internal, "\(node.op.name) has no kernel", path: node.path)
    }
    return try prepare(
      KernelSite(
        inputs: node.inputs.map { graph.values[$0] }, outputs: node.outputs.map { graph.values[$0] },
        isRead: node.outputs.map { isRead[$0] }, attributes: node.attributes, batch: batch, compute: compute,
        precision: precision, randomKey: node.op.isRepeatable ? 0 : random.key(for: node.path)))
  }

  private func link(_ nodes: [Int], _ kernels: [Kernel]) {
    var next = 0, preparedFloats = 0
    for (index, kernel) in zip(nodes, kernels) {
      let node = graph.nodes[index], first = next
      for value in node.inputs + node.outputs {
        point(next, at: value)
        next += 1
      }
      calls.append(
        Call(
          run: kernel.run, preparation: kernel.preparation, preparedOffset: preparedFloats, number: calls.count,
          firstInput: first, firstOutput: first + node.inputs.count, node: index,
          inputCount: node.inputs.count))
      steps.append((node.op.name, node.path))
      preparedFloats += roundedToVectors(kernel.preparation?.floats ?? 0)
    }
    preparedVersions = Array(repeating: -1, count: calls.count)
    active = resolver == nil ? calls : []
  }

  /// An input that nobody has written yet is zeros: labels that are anything would be places outside of a buffer.
  private func clearInputs() {
    for port in graph.inputs {
      guard let buffer = pointer(to: port.value) else { continue }
      buffer.initializeMemory(
        as: Float.self, repeating: 0, count: graph.values[port.value].storageElements(batch: batch))
    }
  }

  private func point(_ index: Int, at value: Int) {
    switch places[value] {
    case .arena(let offset): pointers[index] = UnsafeMutableRawPointer(arena.pointer.advanced(by: offset))
    case .gradient(let offset): pointers[index] = UnsafeMutableRawPointer(gradients.pointer.advanced(by: offset))
    case .parameter(let offset): weightPointers.append((index, offset))
    case nil: break
    }
  }

  /// Points the calls at the parameters of `weights`, which must be of this graph.
  private func bind(_ weights: Weights) throws {
    version = weights.version
    if bound === weights { return }
    try weights.check(fits: layout)
    for (index, offset) in weightPointers {
      pointers[index] = UnsafeMutableRawPointer(mutating: weights.values.advanced(by: offset))
    }
    for call in preparedVersions.indices { preparedVersions[call] = -1 }
    bound = weights
    redirectInputs()
  }
}

// MARK: - Choices

extension Plan {
  /// The decisions of the graph's choices and their options; empty for a graph without choices.
  package var decisions: [(name: String, options: [String])] { resolver?.decisions ?? [] }

  /// The parameters that have a gradient on the selected path, or at all in a graph without choices.
  var parametersWithGradient: Set<Int> {
    Set(gradientValues.filter { value in path.map { $0.roots[value.value] != nil } ?? true }.keys)
  }

  /// Takes branches at every choice: for each of `decisions`, the positions of its options, ascending. What runs next is
  /// that path.
  ///
  /// Costs a pass over the nodes; nothing is compiled.
  package func select(_ selection: [[Int]]) throws {
    guard let resolver else { return }
    guard selection.count == resolver.decisions.count,
      zip(selection, resolver.decisions).allSatisfy({ positions, decision in
        !positions.isEmpty && positions.allSatisfy(decision.options.indices.contains)
      })
    else {
      throw Fault(
        .internal, "a selection doesn't fit the choices", expected: "\(resolver.decisions.map(\.options.count))",
        got: "\(selection)")
    }
    let path = resolver.resolve(selection)
    self.path = path
    active = path.calls.map { step in
      var call = calls[step.call]
      call.inputCount = step.inputs.count
      return call
    }
    redirectInputs()
  }

  /// Points the calls of the selected path at the buffers of the values that they read.
  private func redirectInputs() {
    guard let path, bound != nil else { return }
    for (step, call) in zip(path.calls, active) {
      for (position, value) in step.inputs.enumerated() {
        if let pointer = pointer(to: value) { pointers[call.firstInput + position] = pointer }
      }
    }
  }
}
