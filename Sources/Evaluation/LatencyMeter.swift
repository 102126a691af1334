import Diagnostics
import Foundation
import NeuralNet
import TensorCore

/// Measures how long one forward pass takes, on one thread, of a plan and weights as they are saved.
///
/// Single calls are timed after a warm-up, in rounds with pauses between them: a median over rounds is less at the mercy
/// of a moment's other load than a mean over one burst.
public struct LatencyMeter {
  /// How to measure.
  public struct Settings: Sendable, Equatable {
    /// Images per call.
    public var batch = 1
    /// Untimed calls first.
    public var warmUp = 10
    /// Timed rounds.
    public var rounds = 5
    /// Timed calls in a round.
    public var calls = 20
    /// Seconds between rounds.
    public var pause = 0.005

    public init() {}
  }

  /// What was seen, in milliseconds.
  public struct Timing: Sendable, Equatable {
    public let median: Double
    public let p10: Double
    public let p90: Double
    /// How many calls were timed.
    public let calls: Int
  }

  private let isCancelled: () -> Bool

  /// - Parameter isCancelled: asked after every call; true ends the measurement with an `interrupted` fault.
  public init(isCancelled: @escaping () -> Bool = { false }) { self.isCancelled = isCancelled }

  /// Times a network. The plan runs on one thread whatever the training uses, with the same kernels.
  public func measure(_ graph: Graph, _ weights: Weights, kernels: KernelSet, as how: Settings = Settings()) throws
    -> Timing
  {
    let plan = try InferencePlan(graph, batch: how.batch, compute: try Compute(kernels: kernels, threads: 1))
    var stream = RandomStream(seed: 0, name: "latency")
    // What a network looks up must be a whole number from 1.
    let looksUp = graph.nodes.contains { ["embedding", "one_hot"].contains($0.op.name) }
    let pixels = (0..<how.batch * graph.type(of: graph.inputs[0]).shape.elementsPerSample).map { _ in
      looksUp ? 1 : Float(stream.uniform() * 2 - 1)
    }
    try pixels.withUnsafeBufferPointer { try plan.setInput($0) }
    for _ in 0..<how.warmUp where !isCancelled() { try plan.run(weights) }
    var times: [Double] = []
    times.reserveCapacity(how.rounds * how.calls)
    for round in 0..<how.rounds {
      if round > 0 {
        usleep(UInt32(how.pause * 1e6))
        try plan.run(weights)
      }
      for _ in 0..<how.calls {
        let start = DispatchTime.now().uptimeNanoseconds
        try plan.run(weights)
        times.append(Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-6)
        if isCancelled() { throw Fault(.interrupted, "the measurement was interrupted") }
      }
    }
    times.sort()
    return Timing(
      median: Self.quantile(times, 0.5), p10: Self.quantile(times, 0.1), p90: Self.quantile(times, 0.9),
      calls: times.count)
  }

  /// The quantile of sorted numbers, linear between neighbours.
  private static func quantile(_ sorted: [Double], _ q: Double) -> Double {
    let position = q * Double(sorted.count - 1), below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
