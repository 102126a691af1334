import Canonical
import Foundation
import Testing

/// Cases that PyTorch computed, from `Tests/References`; the format is told in the README there.
struct ReferenceFile {
  /// One case: what was computed, and its tensors.
  struct Case: Sendable, CustomTestStringConvertible {
    let json: JSONValue
    let floats: [String: [Float]]
    let integers: [String: [Int32]]
    let shapes: [String: [Int]]

    var name: String { json["name"]?.string ?? "" }
    var op: String { json["op"]?.string ?? "" }
    var attributes: [String: JSONValue] { json["attributes"]?.object ?? [:] }
    var testDescription: String { name }

    /// PyTorch's own error in float32, relative to the tensor's largest magnitude.
    func float32Error(_ tensor: String) -> Double { json["float32_error"]?[tensor]?.double ?? 0 }
  }

  let cases: [Case]

  /// Reads the pair of files of a name. The safetensors file is read here from scratch: the reader under test is
  /// another one.
  init(_ name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("References")
    let json = try Data(contentsOf: folder.appendingPathComponent("\(name).json"))
    let data = [UInt8](try Data(contentsOf: folder.appendingPathComponent("\(name).safetensors")))
    let length = data[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSONValue(parsing: data[8..<(8 + length)], source: name).object ?? [:]
    let bytes = Array(data[(8 + length)...])
    let document = try JSONValue(parsing: json, source: name)
    cases = try #require(document["cases"]?.array).map { json in
      Self.read(json, header: header, bytes: bytes)
    }
  }

  private static func read(_ json: JSONValue, header: [String: JSONValue], bytes: [UInt8]) -> Case {
    var floats: [String: [Float]] = [:], integers: [String: [Int32]] = [:], shapes: [String: [Int]] = [:]
    for tensor in json["tensors"]?.array?.compactMap(\.string) ?? [] {
      guard let entry = header["\(json["name"]?.string ?? "")/\(tensor)"],
        let range = entry["data_offsets"]?.array?.compactMap(\.int)
      else { continue }
      let words = stride(from: range[0], to: range[1], by: 4).map { start in
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
func relativeError(_ actual: [Float], _ expected: [Float]) -> Double {
  guard actual.count == expected.count else { return .infinity }
  let scale = max(1e-3, expected.reduce(0) { max($0, Double(abs($1))) })
  return zip(actual, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) } / scale
}
