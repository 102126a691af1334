import Canonical

/// What a latency meter saw; times in milliseconds.
public struct LatencyTiming: Sendable, Equatable {
  /// What was noted call by call, in seconds.
  package struct Record {
    /// The plan alone, by rounds.
    package var rounds: [[Double]] = []
    package var endToEnd: [Double] = []
    /// All calls together, and the thread's time on a core in them.
    package var elapsed = 0.0, onCore = 0.0
    /// Of the reference loop, before and after each round.
    package var speeds: [Double] = []

    package init() {}

    mutating func add(_ call: (model: Double, endToEnd: Double, core: Double)) {
      rounds[rounds.count - 1].append(call.model)
      endToEnd.append(call.endToEnd)
      elapsed += call.endToEnd
      onCore += call.core
    }
  }

  /// Of the plan alone: what a model costs that is called by a program that has its input ready.
  public let median: Double
  public let p10: Double
  public let p90: Double
  public let p99: Double
  public let least: Double
  /// The median from an image's bytes to the answer: normalised, computed, read.
  public let endToEnd: Double
  /// How many calls were timed.
  public let calls: Int
  /// How much of the calls' time, in per cent, the thread waited for a core: others were at work.
  public let waiting: Double
  /// How much longer, in per cent, a fixed piece of arithmetic took in the slowest round than in the fastest: the
  /// processor's clock changed, or another program shares the core.
  public let slowdown: Double

  /// Above these, times are those of a busy or throttled machine.
  public static let mostWaiting = 5.0, mostSlowdown = 10.0

  package init(_ record: Record) {
    let times = record.rounds.flatMap { $0 }.sorted(), endToEnd = record.endToEnd.sorted()
    func quantile(_ q: Double) -> Double { Self.quantile(times, q) * 1000 }
    (median, p10, p90, p99) = (quantile(0.5), quantile(0.1), quantile(0.9), quantile(0.99))
    least = (times.first ?? 0) * 1000
    self.endToEnd = Self.quantile(endToEnd, 0.5) * 1000
    calls = times.count
    waiting = record.elapsed > 0 ? max(0, 1 - record.onCore / record.elapsed) * 100 : 0
    let fastest = record.speeds.min() ?? 0
    slowdown = fastest > 0 ? ((record.speeds.max() ?? 0) / fastest - 1) * 100 : 0
  }

  /// Why the times can't be trusted; nil when nothing speaks against them.
  public var disturbance: String? {
    func percent(_ value: Double) -> String { "\(Int(value.rounded())) %" }
    let reasons =
      (waiting > Self.mostWaiting ? ["the machine was busy (\(percent(waiting)) of the time waiting for a core)"] : [])
      + (slowdown > Self.mostSlowdown ? ["its speed changed by \(percent(slowdown))"] : [])
    return reasons.isEmpty ? nil : reasons.joined(separator: ", ")
  }

  /// As recipes get it.
  public var json: JSONValue {
    [
      "median_ms": .number(median), "p10_ms": .number(p10), "p90_ms": .number(p90), "p99_ms": .number(p99),
      "min_ms": .number(least), "end_to_end_ms": .number(endToEnd), "calls": .int(calls),
      "waiting_pct": .number(waiting), "slowdown_pct": .number(slowdown), "is_quiet": .bool(disturbance == nil),
    ]
  }

  /// The quantile of sorted numbers, linear between neighbours.
  private static func quantile(_ sorted: [Double], _ q: Double) -> Double {
    guard let last = sorted.indices.last else { return 0 }
    let position = q * Double(last), below = Int(position), above = min(below + 1, last)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
