import Canonical
import Diagnostics
import Foundation
import RunStore
import TensorCore

/// The times of networks' parts on this machine, in a file beside the runs: one for each processor, set of kernels,
/// numerics and version of nasrun.
struct LatencyTable {
  private let file: URL
  private let conditions: JSONValue

  init(runs: URL, compute: Compute) {
    conditions = [
      "cpu": .string(Machine.processor ?? "unknown"), "kernels": .string(compute.kernelSet.rawValue),
      "numerics": compute.numerics, "nasrun": .string(nasrunVersion),
    ]
    file = runs.appending(path: "latency-\(ContentDigest.of(conditions).prefix(12)).json")
  }

  /// The median time of a part in milliseconds; nil when it was never timed.
  subscript(key: String) -> Double? {
    get throws { try read()["parts"]?[key]?["median_ms"]?.double }
  }

  /// Adds a part. Another program's additions of the same moment may be lost; they are timed again then.
  func add(_ key: String, name: String, median: Double) throws {
    var parts = try read()["parts"]?.object ?? [:]
    parts[key] = ["name": .string(name), "median_ms": .number(median)]
    let content: JSONValue = ["schema": 1, "conditions": conditions, "parts": .object(parts)]
    try RunFolder.write(content.text(pretty: true) + "\n", to: file)
  }

  private func read() throws -> JSONValue {
    guard let data = FileManager.default.contents(atPath: file.path(percentEncoded: false)) else { return [:] }
    do {
      return try JSONValue(parsing: data, source: file.path(percentEncoded: false))
    } catch var fault as Fault {
      fault.hint = "Delete the file: what it holds is timed again."
      throw fault
    }
  }
}
