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

  /// The median time of a part in milliseconds; nil when it was never timed, or when what is there is no time.
  subscript(key: String) -> Double? {
    get throws {
      guard let median = try read()["parts"]?[key]?["median_ms"]?.double, median > 0, median < .infinity else {
        return nil
      }
      return median
    }
  }

  /// Adds a part. Another program's additions of the same moment may be lost; they are timed again then.
  func add(_ key: String, name: String, median: Double) throws {
    var parts = try read()["parts"]?.object ?? [:]
    parts[key] = ["name": .string(name), "median_ms": .number(median)]
    let content: JSONValue = ["schema": 1, "conditions": conditions, "parts": .object(parts)]
    try RunFolder.write(content.text(pretty: true) + "\n", to: file)
  }

  /// The file's content; nothing where there is no file. Throws a `data` fault for one that nasrun didn't write here.
  private func read() throws -> JSONValue {
    let path = file.path(percentEncoded: false)
    guard let data = FileManager.default.contents(atPath: path) else { return [:] }
    do {
      let content = try JSONValue(parsing: data, source: path), measured = content["conditions"]
      guard measured?.text() == conditions.text(), content["parts"]?.object != nil else {
        throw Fault(
          .data, "this is no table of times of this machine", at: path,
          expected: "parts, and conditions \(conditions.text())",
          got: measured.map { "conditions \($0.text())" } ?? "no conditions")
      }
      return content
    } catch var fault as Fault {
      fault.hint = "Delete the file: what it holds is timed again."
      throw fault
    }
  }
}
