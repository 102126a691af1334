import Datasets
import Diagnostics
import Foundation
import NeuralNet
import TensorCore

/// Measures how long one forward pass takes, on one thread, of a plan and weights as they are saved and served.
///
/// Single calls are timed after a warm-up, in rounds with pauses between them: a median over rounds is less at the mercy
/// of a moment's other load than a mean over one burst. One measurement at a time runs on a machine.
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
    /// Seconds before each call. With 0.2 the caches and the clock are those of a program that is called now and then.
    public var callPause = 0.0

    public init() {}
  }

  /// Runs what waits while another process measures.
  public typealias Waiting = (_ wait: () throws -> Void) throws -> Void

  private let isCancelled: () -> Bool
  private let waiting: Waiting
  private let waitsLong: () -> Void

  /// - Parameters:
  ///   - isCancelled: asked after every call; true ends the measurement with an `interrupted` fault.
  ///   - waiting: runs what waits while another process measures, so that a caller can take that time out of its own.
  ///   - waitsLong: called once such a wait has taken a second.
  public init(
    isCancelled: @escaping () -> Bool = { false }, waiting: @escaping Waiting = { try $0() },
    waitsLong: @escaping () -> Void = {}
  ) {
    (self.isCancelled, self.waiting, self.waitsLong) = (isCancelled, waiting, waitsLong)
  }

  /// Times a network. The plan runs on one thread whatever the training uses, with the same kernels.
  ///
  /// - Parameter normalisation: what bytes of images are prepared with, end to end; nil where inputs are no images.
  public func measure(
    _ graph: Graph, _ weights: Weights, kernels: KernelSet, normalisation: Normalisation? = nil,
    as how: Settings = Settings()
  ) throws -> LatencyTiming {
    let plan = try InferencePlan(graph, batch: how.batch, compute: try Compute(kernels: kernels, threads: 1))
    let call = try LatencyCall(plan, weights, graph, batch: how.batch, normalisation: normalisation)
    let lock = MeasurementLock()
    defer { lock.close() }
    try take(lock)
    for _ in 0..<how.warmUp where !isCancelled() { try call.run() }
    var record = LatencyTiming.Record()
    record.speeds.append(ReferenceLoop.seconds())
    for round in 0..<how.rounds {
      if round > 0 {
        pause(how.pause)
        try call.run()
      }
      record.rounds.append([])
      for _ in 0..<how.calls {
        if how.callPause > 0 {
          // A pause is long enough for others' measurements.
          lock.release()
          pause(how.callPause)
          try take(lock)
        }
        record.add(try call.timed())
        if isCancelled() { throw Fault(.interrupted, "the measurement was interrupted") }
      }
      record.speeds.append(ReferenceLoop.seconds())
    }
    return LatencyTiming(record)
  }

  /// Waits until no other process measures. Throws an `interrupted` fault when the wait is cancelled.
  private func take(_ lock: MeasurementLock) throws {
    guard !lock.take() else { return }
    try waiting {
      for poll in 1... {
        if lock.take() { return }
        if isCancelled() { throw Fault(.interrupted, "the measurement was interrupted") }
        if poll == 500 { waitsLong() }
        usleep(2000)
      }
    }
  }

  /// Sleeps, and wakes up in time for an interruption.
  private func pause(_ seconds: Double) {
    var rest = seconds
    while rest > 0, !isCancelled() {
      usleep(UInt32(min(rest, 0.1) * 1e6))
      rest -= 0.1
    }
  }
}

/// One call of a network: an image's bytes in, the position of the greatest answer out.
private final class LatencyCall {
  /// Seconds: the plan alone, all together, and the thread's time on a core.
  typealias Times = (model: Double, endToEnd: Double, core: Double)

  private let plan: InferencePlan
  private let weights: Weights
  private let normaliser: PixelNormaliser?
  private let pixels: [UInt8]
  private var input: [Float]
  private(set) var answer = 0

  init(_ plan: InferencePlan, _ weights: Weights, _ graph: Graph, batch: Int, normalisation: Normalisation?) throws {
    (self.plan, self.weights) = (plan, weights)
    var stream = RandomStream(seed: 0, name: "latency")
    // What a network looks up must be a whole number from 1.
    let looksUp = graph.nodes.contains { ["embedding", "one_hot", "gather", "cross_entropy"].contains($0.op.name) }
    func draw(_ port: Graph.Port) -> [Float] {
      let type = graph.type(of: port).shape, count = type.rows(batch: batch) * type.channels
      return (0..<count).map { _ in looksUp ? 1 : Float(stream.uniform() * 2 - 1) }
    }
    for port in graph.inputs.dropFirst() {
      try draw(port).withUnsafeBufferPointer { try plan.setInput($0, of: port) }
    }
    input = draw(graph.inputs[0])
    let count = graph.type(of: graph.inputs[0]).shape.isImage && !looksUp ? input.count : 0
    pixels = (0..<count).map { _ in UInt8(stream.uniform(below: 256)) }
    normaliser = count > 0 ? normalisation.map(PixelNormaliser.init) : nil
  }

  func run() throws { _ = try timed() }

  func timed() throws -> Times {
    let core = Self.now(CLOCK_THREAD_CPUTIME_ID), start = Self.now(CLOCK_MONOTONIC)
    try input.withUnsafeMutableBufferPointer { input in
      if let normaliser, let target = input.baseAddress {
        pixels.withUnsafeBufferPointer { normaliser.write($0, to: target) }
      }
      try plan.setInput(UnsafeBufferPointer(input))
    }
    let ready = Self.now(CLOCK_MONOTONIC)
    try plan.run(weights)
    let done = Self.now(CLOCK_MONOTONIC), output = plan.output()
    answer = output.indices.max { output[$0] < output[$1] } ?? 0
    let end = Self.now(CLOCK_MONOTONIC)
    return (done - ready, end - start, Self.now(CLOCK_THREAD_CPUTIME_ID) - core)
  }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// A fixed piece of arithmetic: where it takes longer, the core's clock is slower.
private enum ReferenceLoop {
  /// The shortest time of some runs: others' load lengthens single ones only.
  static func seconds() -> Double {
    (0..<5).map { _ in
      let start = DispatchTime.now().uptimeNanoseconds
      var value: UInt64 = start | 1
      for _ in 0..<20_000 { value = value &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f }
      let elapsed = DispatchTime.now().uptimeNanoseconds - start
      return value == 0 ? 0 : Double(elapsed) * 1e-9
    }.min() ?? 0
  }
}

/// A lock that all measurements of a user's programs on this machine take in turn.
private struct MeasurementLock {
  private let file = open("/tmp/nasrun-latency-\(getuid()).lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)

  /// Takes it if it is free. Where the file can't be had, it goes without.
  func take() -> Bool { file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

  func release() { if file >= 0 { flock(file, LOCK_UN) } }

  func close() { if file >= 0 { Glibc.close(file) } }
}
