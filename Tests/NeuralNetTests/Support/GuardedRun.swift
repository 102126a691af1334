import TensorCore
import TestSupport

@testable import NeuralNet

/// The nodes of a plan that has run, run again one by one, with every value, the scratch memory and what is prepared
/// each in a buffer that ends where a page without access begins.
struct GuardedRun {
  private let plan: Plan
  private var buffers: [Int: GuardedBuffer] = [:]

  /// Takes the inputs and parameters of the plan's last run. It must not share memory between values.
  init(_ plan: Plan, random: RandomSource, compute: Compute) throws {
    self.plan = plan
    let graph = plan.graph
    for value in graph.inputs.map(\.value) + graph.parameters.map(\.value) {
      guard let source = plan.buffer(value)?.assumingMemoryBound(to: UInt32.self) else { continue }
      let buffer = buffer(value)
      buffer.pointer.withMemoryRebound(to: UInt32.self, capacity: buffer.count) {
        $0.update(from: source, count: buffer.count)
      }
    }
    for index in plan.nodes { try run(graph.nodes[index], random, compute) }
  }

  /// The values that somebody reads and that aren't what they are in the plan, by the paths of their nodes.
  func differences() -> [String] {
    let read = Set(plan.nodes.flatMap { plan.graph.nodes[$0].inputs } + plan.graph.outputs.map(\.value))
    return plan.nodes.map { plan.graph.nodes[$0] }.filter { node in
      node.outputs.contains { value in
        guard read.contains(value), let expected = plan.buffer(value), let buffer = buffers[value] else { return false }
        let elements = plan.graph.values[value].storageElements(batch: plan.batch)
        let words = expected.assumingMemoryBound(to: UInt32.self)
        return buffer.pointer.withMemoryRebound(to: UInt32.self, capacity: elements) { found in
          (0..<elements).contains { found[$0] != words[$0] }
        }
      }
    }.map(\.path)
  }

  /// The buffer of a value, as large as a plan's: whole vectors.
  private mutating func buffer(_ value: Int) -> GuardedBuffer {
    if let buffer = buffers[value] { return buffer }
    let elements = plan.graph.values[value].storageElements(batch: plan.batch)
    let buffer = GuardedBuffer(count: roundedToVectors(max(1, elements)))
    buffers[value] = buffer
    return buffer
  }

  private mutating func run(_ node: Graph.Node, _ random: RandomSource, _ compute: Compute) throws {
    guard let prepare = node.op.kernel else { return }
    let kernel = try prepare(
      KernelSite(
        inputs: node.inputs.map { plan.graph.values[$0] }, outputs: node.outputs.map { plan.graph.values[$0] },
        isRead: node.outputs.map { _ in true }, attributes: node.attributes, batch: plan.batch, compute: compute,
        precision: plan.precision, randomKey: node.op.isRepeatable ? 0 : random.key(for: node.path)))
    let scratch = GuardedBuffer(count: roundedToVectors(max(1, kernel.scratchFloats)))
    let prepared = GuardedBuffer(count: roundedToVectors(max(1, kernel.preparation?.floats ?? 0)), value: 0)
    var inputs = node.inputs.map { UnsafeMutableRawPointer(buffer($0).pointer) }
    var outputs = node.outputs.map { UnsafeMutableRawPointer(buffer($0).pointer) }
    try inputs.withUnsafeMutableBufferPointer { inputs in
      try outputs.withUnsafeMutableBufferPointer { outputs in
        let none = UnsafeMutablePointer<UnsafeMutableRawPointer>(bitPattern: 8)!
        let arguments = KernelArguments(
          inputs: inputs.baseAddress ?? none, outputs: outputs.baseAddress ?? none, inputCount: node.inputs.count,
          scratch: scratch.pointer, step: 0, prepared: prepared.pointer)
        kernel.preparation?.run(arguments)
        try withExtendedLifetime((scratch, prepared)) { try kernel.run(arguments) }
      }
    }
  }
}
