import Canonical
import Diagnostics
import Foundation

/// Cases that PyTorch computed: a pair of files of `Tests/References`, whose README tells the format.
package struct ReferenceFile {
  /// One case: what was computed, and its tensors.
  package struct Case: Sendable {
    package let json: JSONValue
    package let floats: [String: [Float]]
    package let integers: [String: [Int32]]
    package let shapes: [String: [Int]]

    package var name: String { json["name"]?.string ?? "" }
    package var op: String { json["op"]?.string ?? "" }
    package var attributes: [String: JSONValue] { json["attributes"]?.object ?? [:] }

    /// PyTorch's own error in float32, relative to the tensor's largest magnitude.
    package func float32Error(_ tensor: String) -> Double { json["float32_error"]?[tensor]?.double ?? 0 }
  }

  package let cases: [Case]

  /// Reads `name.json` and `name.safetensors` in a folder. The latter is read here from scratch: the reader that weights
  /// come through is checked by these numbers too. Throws a `data` fault for files that are missing or no references.
  package init(_ name: String, in folder: URL) throws {
    let json = try Self.data(folder.appendingPathComponent("\(name).json"))
    let file = folder.appendingPathComponent("\(name).safetensors")
    let data = try Self.data(file),
      wrong = Fault(
        .data, "not a file of references", at: file.path,
        expected: "safetensors with metadata, as Tests/References/*.py write them")
    guard data.count >= 8 else { throw wrong }
    let length = data[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(data.count - 8) else { throw wrong }
    let start = 8 + Int(length), bytes = data[start...]
    guard let header = try JSONValue(parsing: data[8..<start], source: file.path).object,
      let list = try JSONValue(parsing: json, source: "\(name).json")["cases"]?.array
    else { throw wrong }
    cases = list.map { Self.read($0, header: header, bytes: bytes) }
  }

  private static func data(_ file: URL) throws -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: file))
    } catch {
      throw Fault(
        .data, "can't read the references", at: file.path,
        hint: "Check the path: --references takes the folder Tests/References.",
        cause: SystemError.words(for: error))
    }
  }

  private static func read(_ json: JSONValue, header: [String: JSONValue], bytes: ArraySlice<UInt8>) -> Case {
    var floats: [String: [Float]] = [:], integers: [String: [Int32]] = [:], shapes: [String: [Int]] = [:]
    for tensor in json["tensors"]?.array?.compactMap(\.string) ?? [] {
      guard let entry = header["\(json["name"]?.string ?? "")/\(tensor)"],
        let range = entry["data_offsets"]?.array?.compactMap(\.int), range.count == 2, range[0] >= 0,
        range[0] <= range[1], range[1] <= bytes.count, (range[1] - range[0]) % 4 == 0
      else { continue }
      let words = stride(from: bytes.startIndex + range[0], to: bytes.startIndex + range[1], by: 4).map { start in
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
      }
      shapes[tensor] = entry["shape"]?.array?.compactMap(\.int)
      if entry["dtype"] == "I32" {
        integers[tensor] = words.map { Int32(bitPattern: $0) }
      } else {
        floats[tensor] = words.map { Float(bitPattern: $0) }
      }
    }
    return Case(json: json, floats: floats, integers: integers, shapes: shapes)
  }
}

/// The largest difference, relative to the largest expected magnitude or to 1e-3 if that is smaller.
package func relativeError(_ actual: [Float], _ expected: [Float]) -> Double {
  guard actual.count == expected.count else { return .infinity }
  let scale = max(1e-3, expected.reduce(0) { max($0, Double(abs($1))) })
  return zip(actual, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) } / scale
}
