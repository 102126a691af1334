import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet

/// The numbers of something that training changes, at one moment: as a file, and by its digest.
struct StateSnapshot {
  var arrays: [NamedArray] = []
  /// What isn't an array: counters, rates.
  var values: [String: JSONValue] = [:]

  private static let field = "state"

  /// Digest of names, bits and values.
  var digest: String { ContentDigest.of(arrays.digest, JSONValue.object(values).text()) }

  /// Adds another one under a name.
  mutating func add(_ other: StateSnapshot, as name: String) {
    arrays += other.arrays.map { NamedArray(name: "\(name)/\($0.name)", shape: $0.shape, values: $0.values) }
    if !other.values.isEmpty { values[name] = .object(other.values) }
  }

  /// What was added under a name.
  func part(_ name: String) -> StateSnapshot {
    let prefix = name + "/"
    let part = arrays.filter { $0.name.hasPrefix(prefix) }.map {
      NamedArray(name: String($0.name.dropFirst(prefix.count)), shape: $0.shape, values: $0.values)
    }
    return StateSnapshot(arrays: part, values: values[name]?.object ?? [:])
  }

  /// Writes a safetensors file; it is whole or not there.
  func write(to file: URL) throws {
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Safetensors.write(
      arrays, metadata: [Self.field: JSONValue.object(values).text()], to: file.path(percentEncoded: false))
  }

  /// Reads what `write` wrote. Throws a `data` fault for another file.
  init(contentsOf path: String) throws {
    let content = try Safetensors.read(path)
    guard let text = content.metadata[Self.field] else {
      throw Fault(.data, "the file holds no state of a training", at: path, expected: "a file of optimiser:save")
    }
    arrays = content.arrays
    values = try JSONValue(parsing: Data(text.utf8), source: path).object ?? [:]
  }

  init(arrays: [NamedArray] = [], values: [String: JSONValue] = [:]) {
    (self.arrays, self.values) = (arrays, values)
  }
}

extension [NamedArray] {
  /// A digest of names and bits, in the order of the names.
  var digest: String {
    let digest = ContentDigest()
    for array in sorted(by: { $0.name < $1.name }) {
      digest.update(array.name)
      array.values.withUnsafeBytes { digest.update(bytes: $0) }
    }
    return digest.finish()
  }
}
