import Canonical
import Diagnostics
import Foundation
import NeuralNet

/// The safetensors format: eight bytes of header length, a JSON header, then the arrays' bytes, little-endian.
///
/// Written as 32-bit floats (`F32`); 16-bit ones (`F16`, `BF16`) are read too. The file written is canonical: keys sorted, arrays in the order given and aligned to
/// their place in the file by spaces after the header, so equal arrays make equal files.
public enum Safetensors {
  /// Arrays in the order of their bytes, and the header's `__metadata__`.
  public typealias Content = (arrays: [NamedArray], metadata: [String: String])

  static let metadataKey = "__metadata__"
  /// The longest header that the reference implementation accepts, in bytes.
  static let longestHeader = 100_000_000

  /// Writes a file; it is whole or not there. Throws a `data` fault with the system's reason, and an `internal` one for
  /// two arrays of one name.
  public static func write(_ arrays: [NamedArray], metadata: [String: String] = [:], to path: String) throws {
    try AtomicFile.write(try encode(arrays, metadata: metadata), to: path)
  }

  /// Reads a file. Throws a `data` fault that names the file, the offset, what was expected and what came.
  ///
  /// - Parameter skipsIntegers: passes over arrays of whole numbers (such as PyTorch's `num_batches_tracked`).
  public static func read(_ path: String, skipsIntegers: Bool = false) throws -> Content {
    try SafetensorsReader(data: try AtomicFile.read(path), source: path, skipsIntegers: skipsIntegers).read()
  }

  /// The bytes of a file.
  public static func encode(_ arrays: [NamedArray], metadata: [String: String] = [:]) throws -> Data {
    var header: [String: JSONValue] = [:], offset = 0
    if !metadata.isEmpty { header[metadataKey] = .object(metadata.mapValues { .string($0) }) }
    for array in arrays {
      guard header[array.name] == nil else {
        throw Fault(.internal, "two arrays of one name in a weight file", path: array.name)
      }
      let end = offset + 4 * array.values.count
      header[array.name] = [
        "dtype": "F32", "shape": .array(array.shape.map { .int($0) }), "data_offsets": [.int(offset), .int(end)],
      ]
      offset = end
    }
    var text = Data(JSONValue.object(header).text().utf8)
    text.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    var file = Data(capacity: 8 + text.count + offset)
    withUnsafeBytes(of: UInt64(text.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(text)
    for array in arrays { array.values.withUnsafeBytes { file.append(contentsOf: $0) } }
    return file
  }

  /// Reads the bytes of a file; `source` is what errors call it.
  public static func decode(_ data: Data, source: String) throws -> Content {
    try SafetensorsReader(data: data, source: source).read()
  }
}

extension Weights {
  /// Writes all parameters and running statistics as safetensors.
  public func save(to path: String, metadata: [String: String] = [:]) throws {
    try Safetensors.write(arrays, metadata: metadata, to: path)
  }

  /// Takes the values from a safetensors file, which must have exactly this network's arrays. Throws a `data` fault
  /// that names the file and the array.
  public func load(from path: String) throws {
    do {
      try load(try Safetensors.read(path).arrays)
    } catch let fault as Fault {
      throw fault.located(at: path)
    }
  }
}
