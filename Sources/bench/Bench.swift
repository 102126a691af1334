import ArgumentParser
import Diagnostics
import Foundation
import TensorCore

/// Our side of `Scripts/bench`: each command prepares its work, says `ready`, and does it as often as the lines of
/// standard input say. See `serve`.
@main struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Work of the benchmark, done when standard input says so.",
    subcommands: [TrainingWork.self, InferenceWork.self, FirstStepWork.self, CurveWork.self])
}

/// What every work is told.
struct WorkOptions: ParsableArguments {
  @Option(help: "A safetensors file with `images` [N, H, W, C] and `labels` [N].") var arrays: String
  @Option(help: "The instruction set; the fastest by default.") var kernels: String?
  @Option(help: "Threads that share the work.") var threads = 1

  func compute() throws -> Compute {
    let set = try kernels.map { name in
      guard let set = KernelSet(rawValue: name) else {
        throw Fault(
          .usage, "unknown kernels", expected: KernelSet.available.map(\.rawValue).joined(separator: " or "), got: name)
      }
      return set
    }
    return try Compute(kernels: set, threads: threads)
  }
}

/// Answers each line of standard input, a number n: calls `step` n times and writes the CPU seconds of this process
/// that they took, what the last returned, and the seconds on the wall.
func serve(_ step: () throws -> Float) throws {
  say("ready")
  while let line = readLine() {
    let cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC)
    var value = Float.nan
    for _ in 0..<(Int(line) ?? 0) { value = try step() }
    say("\(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) \(value) \(seconds(CLOCK_MONOTONIC) - wall)")
  }
}

private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

private func seconds(_ clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
