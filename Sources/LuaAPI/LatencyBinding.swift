import Canonical
import Diagnostics
import Evaluation
import LuaHost
import NeuralNet
import RunStore
import TensorCore

/// The methods of `Network` that tell how long it takes: by timing it, or part by part from a table.
struct LatencyBinding {
  let session: Session

  var methods: [(Declaration, API.Body)] {
    [
      (Self.latencyDeclaration, latency), (Self.partsDeclaration, parts), (Self.partDeclaration, partLatency),
    ]
  }

  private static let this = Parameter("network", "Network")

  // MARK: - The whole network

  private static let latencyDeclaration = Declaration(
    "network:latency",
    """
    Times one forward pass at batch 1 on one thread, of the plan and the weights that are saved and served. In
    milliseconds: median_ms, p10_ms, p90_ms, p99_ms and min_ms of the network alone; end_to_end_ms, the median from an
    image's bytes to the answer. waiting_pct is the share of time without a core, slowdown_pct how far the processor's
    speed changed; is_quiet is false, and the run warns, where they are above 5 and 10. An observed effect; one
    measurement at a time runs on a machine.
    """,
    context: "evaluator or recipe", [this],
    options: [
      Parameter("warmup", "integer", default: 10, min: 0, max: 1_000_000, "untimed calls first"),
      Parameter("rounds", "integer", default: 5, min: 1, max: 1000, "groups of calls; the percentiles are over all"),
      Parameter("calls", "integer", default: 20, min: 1, max: 1_000_000, "per round"),
      Parameter("pause_ms", "number", default: 5, min: 0, max: 10_000, "between rounds"),
      Parameter(
        "call_pause_ms", "number", default: 0, min: 0, max: 10_000,
        "before each call; 200: as a program sees it that calls now and then, its caches cold"),
    ], returns: "table # median_ms, p10_ms, p90_ms, p99_ms, min_ms, end_to_end_ms, calls, waiting_pct, …")

  private func latency(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    var how = LatencyMeter.Settings()
    how.warmUp = arguments.integer("warmup")
    how.rounds = arguments.integer("rounds")
    how.calls = arguments.integer("calls")
    how.pause = arguments.number("pause_ms") / 1000
    how.callPause = arguments.number("call_pause_ms") / 1000
    let effect = try session.effects.perform(
      kind: "latency", key: network.graph.digest, label: "latency", isExact: false
    ) {
      let timing = try session.latencyMeter.measure(
        network.graph, network.weights, kernels: session.compute.kernelSet,
        normalisation: network.task.columns == nil ? network.normalisation : nil, as: how)
      if let disturbance = timing.disturbance { session.warnOnce("a latency may be too long: \(disturbance)") }
      return EffectOutcome(exact: .null, observed: timing.json)
    }
    try call.push(effect.record.observed)
  }

  // MARK: - Part by part

  private static let partsDeclaration = Declaration(
    "network:parts",
    """
    The network taken apart for a latency table: operators, each with what is computed along with it (activations, batch
    norm). Equal parts of any networks have equal keys.
    """,
    context: "evaluator or recipe", source: "Zhang et al., MobiSys 2021 (nn-Meter), section 3", [this],
    returns: "table[] # { key, name = \"relu conv2d batch_norm\", count }, in the order of the network")

  private func parts(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    var order: [String] = [], names: [String: String] = [:], counts: [String: Int] = [:]
    for part in try network.graph.parts() {
      let key = part.key
      if names.updateValue(part.name, forKey: key) == nil { order.append(key) }
      counts[key, default: 0] += 1
    }
    try call.push(
      JSONValue.array(
        order.map { ["key": .string($0), "name": .string(names[$0] ?? ""), "count": .int(counts[$0] ?? 0)] }))
  }

  private static let partDeclaration = Declaration(
    "network:part_latency",
    """
    The median time in milliseconds of one part by itself, at batch 1 on one thread. Times are kept in a table of the
    machine, latency-….json beside the runs, for its processor, kernels and version of nasrun: what is there isn't timed
    again. An observed effect.
    """,
    context: "evaluator or recipe", [this, Parameter("key", "string", "of one of network:parts()")],
    returns: "number")

  private func partLatency(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self), key = arguments.text(1)
    guard let part = try network.graph.parts().first(where: { $0.key == key }) else {
      throw Fault(.recipe, "network:part_latency: the network has no such part", expected: "a key", got: key)
    }
    let effect = try session.effects.perform(
      kind: "part_latency", key: key, label: "time \(part.name)", isExact: false
    ) {
      EffectOutcome(exact: .null, observed: ["median_ms": .number(try measure(part, key: key))])
    }
    call.push(effect.record.observed["median_ms"]?.double ?? .nan)
  }

  private func measure(_ part: GraphPart, key: String) throws -> Double {
    let table = LatencyTable(runs: session.options.runs, compute: session.compute)
    if let known = try table[key] { return known }
    let weights = try Weights(part.graph, random: RandomSource(seed: 0, name: "part"))
    var how = LatencyMeter.Settings(), best: LatencyTiming?
    how.pause = 0.001
    // Disturbed times are taken again.
    for _ in 0..<3 where best?.disturbance != nil || best == nil {
      let timing = try session.latencyMeter.measure(
        part.graph, weights, kernels: session.compute.kernelSet, as: how)
      if timing.median < best?.median ?? .infinity { best = timing }
    }
    guard let best else { return .nan }
    if let disturbance = best.disturbance {
      session.warnOnce("a latency may be too long: \(disturbance)")
    } else {
      try table.add(key, name: part.name, median: best.median)
    }
    return best.median
  }
}

extension Session {
  /// A meter that the run can end. While it waits for another process's measurement, the run's clock stands still.
  fileprivate var latencyMeter: LatencyMeter {
    LatencyMeter(
      isCancelled: { [host] in host.isCancelled }, waiting: { [host] wait in try host.waiting(wait) },
      waitsLong: { [self] in tell("latency", "waiting for another process that measures a latency") })
  }
}
