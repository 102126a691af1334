import Diagnostics
import TensorCore

/// A network compiled to be evaluated at one batch size.
public final class InferencePlan {
  /// The most samples of one run.
  public let batch: Int
  public let inputs: [Graph.Port]
  public let outputs: [Graph.Port]
  /// What batch normalisation does.
  public let mode: ExecutionMode
  package let plan: Plan

  /// Compiles a graph.
  ///
  /// - Parameters:
  ///   - batch: samples per run; fewer may be given to `run`.
  ///   - batchNorm: where mean and variance come from; the running statistics by default.
  /// - Throws: a `recipe` fault for a batch size out of range.
  public convenience init(
    _ graph: Graph, batch: Int, batchNorm: ExecutionMode.BatchNorm = .running, compute: Compute
  ) throws {
    try self.init(graph, batch: batch, batchNorm: batchNorm, sharesMemory: true, fuses: true, compute: compute)
  }

  /// The same, with a choice about memory and fusion; see `Plan`.
  package init(
    _ graph: Graph, batch: Int, batchNorm: ExecutionMode.BatchNorm, sharesMemory: Bool, fuses: Bool = true,
    compute: Compute
  ) throws {
    mode = ExecutionMode(batchNorm: batchNorm, dropout: false)
    let plain = try graph.expanded(for: mode).graph
    let expanded = fuses && mode == .inference ? try plain.takingMeansEarly() : plain
    plan = try Plan(
      expanded, batch: batch, kept: expanded.outputs.map(\.value), random: RandomSource(seed: 0, name: ""),
      sharesMemory: sharesMemory, fuses: fuses, compute: compute)
    self.batch = batch
    inputs = expanded.inputs
    outputs = expanded.outputs
  }

  /// Takes a branch at every choice of the graph, by the position of its option; see `decisions`.
  public func select(_ selection: [[Int]]) throws { try plan.select(selection) }

  /// The decisions of the graph's choices and their options, in the order in which `select` takes them.
  public var decisions: [(name: String, options: [String])] { plan.decisions }

  /// Bytes of activations and scratch memory.
  public var arenaBytes: Int { plan.arenaBytes }
  /// Bytes of activations, scratch memory, parameters and running statistics: what an evaluation takes, exactly.
  public var peakMemoryBytes: Int { plan.arenaBytes + 4 * roundedToVectors(plan.layout.totalFloats) }

  /// Writes a batch of an input: dense `[n, H, W, C]` or `[n, C]`, `n` at most `batch`.
  public func setInput(_ values: UnsafeBufferPointer<Float>, of port: Graph.Port? = nil) throws {
    try plan.write(values, to: port ?? inputs[0])
  }

  /// Computes the outputs from what `setInput` wrote. No allocation: what a latency meter times.
  public func run(_ weights: Weights, step: Int = 0) throws { try plan.run(weights, step: step) }

  /// The first samples of an output after a run, dense.
  public func output(_ port: Graph.Port? = nil, samples: Int? = nil) -> [Float] {
    plan.read((port ?? outputs[0]).value, samples: samples)
  }

  /// The first output for a batch of the first input, dense both.
  ///
  /// With running statistics a batch may be smaller than the plan's; with the batch's own it must be full, since every
  /// sample takes part in them.
  public func run(_ input: [Float], _ weights: Weights) throws -> [Float] {
    let perSample = plan.graph.values[inputs[0].value].shape.elementsPerSample, samples = input.count / perSample
    if mode.batchNorm != .running, mode.batchNorm != .bypass, samples != batch {
      throw Fault(
        .recipe, "batch statistics need a full batch", expected: "\(batch) samples", got: "\(samples)")
    }
    try input.withUnsafeBufferPointer { try setInput($0) }
    try run(weights)
    return output(samples: samples)
  }
}

extension Weights {
  /// Replaces the running statistics by the mean of the statistics of some batches: what a network needs after its
  /// parameters have changed under it.
  ///
  /// - Parameters:
  ///   - batches: how many batches, at least 1.
  ///   - size: samples in each.
  ///   - next: the dense first input of a batch, by its number.
  public func recalibrate(
    _ graph: Graph, batches: Int, size: Int, compute: Compute, next: (Int) throws -> [Float]
  ) throws {
    let plan = try InferencePlan(graph, batch: size, batchNorm: .recalibrate, compute: compute)
    for batch in 0..<batches {
      try next(batch).withUnsafeBufferPointer { try plan.setInput($0) }
      try plan.run(self, step: batch)
    }
  }
}
