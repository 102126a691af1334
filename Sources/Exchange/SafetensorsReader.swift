import Canonical
import Diagnostics
import Foundation
import NeuralNet

/// Reads one safetensors file and checks every byte's role: nothing is half-read.
struct SafetensorsReader {
  /// One array as the header describes it.
  private struct Entry {
    let name: String
    let type: NumberType
    let shape: [Int]
    /// Offsets from the end of the header.
    let bytes: Range<Int>
  }

  let data: Data
  let source: String
  /// Passes over arrays of whole numbers, which are an error otherwise.
  var skipsIntegers = false

  func read() throws -> Safetensors.Content {
    let headerLength = try headerLength()
    let header = try header(length: headerLength)
    let start = 8 + headerLength, available = data.count - start
    var entries: [Entry] = [], metadata: [String: String] = [:]
    for (name, value) in header {
      if name == Safetensors.metadataKey {
        metadata = (value.object ?? [:]).compactMapValues(\.string)
      } else {
        entries.append(try entry(name, value, start: start, available: available))
      }
    }
    entries.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name) < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
    }
    try checkCover(entries, start: start, available: available)
    return (entries.filter(\.type.isFloat).map { array($0, start: start) }, metadata)
  }

  private func headerLength() throws -> Int {
    guard data.count >= 8 else {
      throw fault("the file is truncated", offset: 0, expected: "8 bytes of header length", got: "\(data.count) bytes")
    }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let room = min(data.count - 8, Safetensors.longestHeader)
    guard length <= UInt64(room) else {
      // What torch.save writes is a zip archive, or a pickle of older versions.
      if data.starts(with: [0x50, 0x4B, 0x03, 0x04]) || data.starts(with: [0x80, 0x02]) {
        throw Fault(
          .data, "not a safetensors file", at: source, expected: "what safetensors writes", got: "a file of torch.save",
          hint: "In Python: safetensors.torch.save_file(model.state_dict(), \"model.safetensors\").")
      }
      throw fault(
        "the header is longer than the file", offset: 0, expected: "a length of at most \(room) bytes", got: "\(length)"
      )
    }
    return Int(length)
  }

  private func header(length: Int) throws -> [String: JSONValue] {
    let text = data.dropFirst(8).prefix(length)
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text, source: source)
    } catch let error as Fault {
      throw fault(
        "the header is not valid JSON", offset: 8, expected: error.expected ?? "a JSON object",
        got: error.got ?? preview(text), cause: error.at.map { "at \($0) of the header" })
    }
    guard let object = json.object else {
      throw fault("the header is not a JSON object", offset: 8, expected: "a JSON object", got: preview(text))
    }
    return object
  }

  private func entry(_ name: String, _ json: JSONValue, start: Int, available: Int) throws -> Entry {
    guard let type = json["dtype"]?.string.flatMap(NumberType.init), type.isFloat || skipsIntegers else {
      throw fault(
        "wrong dtype", offset: 8, path: name, expected: "F32, F16 or BF16", got: json["dtype"]?.string ?? "none")
    }
    let shape = json["shape"]?.array?.map { $0.int ?? -1 }
    guard let shape, shape.allSatisfy({ $0 >= 0 }), let size = bytes(of: shape, type) else {
      throw fault(
        "wrong shape", offset: 8, path: name, expected: "a list of sizes", got: json["shape"]?.text() ?? "none")
    }
    let offsets = (json["data_offsets"]?.array ?? []).compactMap(\.int)
    guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1] else {
      throw fault(
        "wrong data_offsets", offset: 8, path: name, expected: "[begin, end]",
        got: json["data_offsets"]?.text() ?? "none")
    }
    guard offsets[1] <= available else {
      throw fault(
        "the data are truncated", offset: start + min(offsets[0], available), path: name,
        expected: "\(offsets[1]) bytes of data", got: "\(available) bytes")
    }
    guard offsets[1] - offsets[0] == size else {
      throw fault(
        "the shape and the bytes disagree", offset: start + offsets[0], path: name,
        expected: "\(size) bytes for the shape \(shape)", got: "\(offsets[1] - offsets[0]) bytes")
    }
    return Entry(name: name, type: type, shape: shape, bytes: offsets[0]..<offsets[1])
  }

  /// The arrays must follow each other without overlap or gap, to the end of the file.
  private func checkCover(_ entries: [Entry], start: Int, available: Int) throws {
    var end = 0
    for entry in entries {
      guard entry.bytes.lowerBound == end else {
        throw fault(
          entry.bytes.lowerBound < end ? "two arrays overlap" : "bytes belong to no array",
          offset: start + min(end, entry.bytes.lowerBound), path: entry.name, expected: "data_offsets from \(end)",
          got: "\(entry.bytes.lowerBound)")
      }
      end = entry.bytes.upperBound
    }
    guard end == available else {
      throw fault(
        "bytes after the last array", offset: start + end, expected: "\(end) bytes of data", got: "\(available) bytes")
    }
  }

  private func array(_ entry: Entry, start: Int) -> NamedArray {
    guard entry.type == .float32 else { return halves(entry, start: start) }
    let count = entry.bytes.count / 4
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      data.dropFirst(start + entry.bytes.lowerBound).prefix(entry.bytes.count).copyBytes(
        to: UnsafeMutableRawBufferPointer(buffer))
      filled = count
    }
    return NamedArray(name: entry.name, shape: entry.shape, values: values)
  }

  /// An array of 16-bit floats; every one of them is a 32-bit float too.
  private func halves(_ entry: Entry, start: Int) -> NamedArray {
    let bytes = [UInt8](data.dropFirst(start + entry.bytes.lowerBound).prefix(entry.bytes.count))
    let values = stride(from: 0, to: bytes.count, by: 2).map { offset in
      entry.type.float(UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8)
    }
    return NamedArray(name: entry.name, shape: entry.shape, values: values)
  }

  /// The bytes of an array of floats; nil when they overflow.
  private func bytes(of shape: [Int], _ type: NumberType) -> Int? {
    shape.reduce(type.size) { size, extent in
      guard let size else { return nil }
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      return overflow ? nil : product
    }
  }

  private func preview(_ text: Data) -> String {
    JSONValue.string(String(decoding: text.prefix(24), as: UTF8.self)).text()
  }

  private func fault(
    _ message: String, offset: Int, path: String? = nil, expected: String, got: String, cause: String? = nil
  ) -> Fault {
    Fault(.data, message, at: "\(source), offset \(offset)", path: path, expected: expected, got: got, cause: cause)
  }
}
