import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet
import TensorCore
import TestSupport
import Testing

@Suite final class SafetensorsTests {
  private static let arrays = [
    NamedArray(name: "b/weight", shape: [2, 3], values: [1, -2, 3.5, .infinity, 0, Float(bitPattern: 71362)]),
    NamedArray(name: "a", shape: [], values: [7]), NamedArray(name: "empty", shape: [0, 4], values: []),
  ]

  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("safetensors-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: folder) }

  @Test func readsBackWhatItWrote() throws {
    let path = folder.appendingPathComponent("w.safetensors").path
    try Safetensors.write(Self.arrays, metadata: ["step": "12"], to: path)
    let back = try Safetensors.read(path)
    #expect(Dictionary(uniqueKeysWithValues: back.arrays.map { ($0.name, $0) }).count == 3)
    #expect(Set(back.arrays) == Set(Self.arrays))
    #expect(back.metadata == ["step": "12"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["w.safetensors"])
  }

  @Test func theHeaderIsAlignedAndTheBytesAreLittleEndian() throws {
    let file = [UInt8](try Safetensors.encode([NamedArray(name: "a", shape: [1], values: [1])]))
    let header = #"{"a":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}}"#
    let length = (header.utf8.count + 7) / 8 * 8
    #expect(
      file == [UInt8(length), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
        + [UInt8](repeating: 32, count: length - header.utf8.count) + [0, 0, 128, 63])
  }

  /// A file with a header of one's own.
  private static func file(_ header: String, data: Int = 8, length: Int? = nil) -> Data {
    var file = Data()
    withUnsafeBytes(of: UInt64(bitPattern: Int64(length ?? header.utf8.count)).littleEndian) {
      file.append(contentsOf: $0)
    }
    return file + Data(header.utf8) + Data(count: data)
  }

  @Test(
    arguments: [
      (Data([1, 2, 3]), "w, offset 0: the file is truncated: expected 8 bytes of header length, got 3 bytes"),
      (
        file("{}", data: 0, length: 99),
        "w, offset 0: the header is longer than the file: expected a length of at most 2 bytes, got 99"
      ),
      (
        file("{}", data: 0, length: -1),
        "w, offset 0: the header is longer than the file: expected a length of at most 2 bytes, got 18446744073709551615"
      ),
      (
        Data([0x50, 0x4B, 0x03, 0x04, 0x00, 0x00, 0x08, 0x08, 0x00]),
        "w: not a safetensors file: expected what safetensors writes, got a file of torch.save. In Python: "
          + "safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")."
      ),
      (file("[]", data: 0), "w, offset 8: the header is not a JSON object: expected a JSON object, got \"[]\""),
      (
        file(#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#),
        "w, offset 8: a: wrong dtype: expected F32, F16 or BF16, got F64"
      ),
      (
        file(#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#),
        "w, offset 62: a: the shape and the bytes disagree: expected 12 bytes for the shape [3], got 8 bytes"
      ),
      (
        file(#"{"a":{"dtype":"F32","shape":[-3],"data_offsets":[0,8]}}"#),
        "w, offset 8: a: wrong shape: expected a list of sizes, got [-3]"
      ),
      (
        file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#),
        "w, offset 8: a: wrong data_offsets: expected [begin, end], got [8,0]"
      ),
      (
        file(#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#),
        "w, offset 63: a: the data are truncated: expected 12 bytes of data, got 8 bytes"
      ),
      (
        file(
          #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        ),
        "w, offset 115: b: two arrays overlap: expected data_offsets from 4, got 0"
      ),
      (
        file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#),
        "w, offset 62: a: bytes belong to no array: expected data_offsets from 0, got 4"
      ),
      (
        file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#),
        "w, offset 66: bytes after the last array: expected 4 bytes of data, got 8 bytes"
      ),
    ])
  func damageIsNamed(file: Data, text: String) {
    let fault = #expect(throws: Fault.self) { try Safetensors.decode(file, source: "w") }
    #expect(fault?.description == text)
    #expect(fault?.code == .data)
  }

  @Test func aHeaderThatIsNotJSONIsNamed() {
    let fault = #expect(throws: Fault.self) { try Safetensors.decode(Self.file("{a}"), source: "w") }
    #expect(
      fault?.description
        == "w, offset 8: the header is not valid JSON: expected a name in quotes, got 'a}' (at offset 1 of the header)")
  }

  @Test func everyTruncationIsNoticed() throws {
    let file = try Safetensors.encode(Self.arrays)
    for length in 0..<file.count {
      #expect(throws: Fault.self) { try Safetensors.decode(file.prefix(length), source: "w") }
    }
  }

  @Test func aMissingFileIsNamed() {
    let fault = #expect(throws: Fault.self) { try Safetensors.read("/nowhere/w.safetensors") }
    #expect(fault?.at == "/nowhere/w.safetensors" && fault?.code == .data)
  }

  @Test func weightsAndGraphsGoThroughFiles() throws {
    let graph = try NASBench201(channels: 4, cells: 1, size: 8).graph(
      "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
    let weights = try Weights(graph, random: RandomSource(seed: 4, name: "w"))
    let weightFile = folder.appendingPathComponent("w.safetensors").path
    let graphFile = folder.appendingPathComponent("g.json").path
    try weights.save(to: weightFile)
    try graph.save(to: graphFile)
    let back = try Graph(contentsOf: graphFile)
    let other = try Weights(back, random: RandomSource(seed: 5, name: "w"))
    try other.load(from: weightFile)
    #expect(other.digest == weights.digest)
    #expect(back.digest == graph.digest)
    let small = try GraphBuilder(inputs: [("x", [3])])
    let linear = try small.finish(outputs: [("y", try small.apply("linear", small.inputs, attributes: ["features": 2]))]
    )
    let fault = #expect(throws: Fault.self) {
      try Weights(linear, random: RandomSource(seed: 5, name: "w")).load(from: weightFile)
    }
    #expect(fault?.description == "\(weightFile): linear1/weight: the weights lack an array")
  }

  /// The reference implementation reads what is written here, and the other way round.
  @Test(.enabled(if: PythonInterpreter.path != nil, "set NASRUN_PYTHON to a Python that has safetensors and numpy"))
  func pythonReadsTheFile() throws {
    let path = folder.appendingPathComponent("w.safetensors").path,
      copy = folder.appendingPathComponent("c.safetensors").path
    try Safetensors.write(Self.arrays, metadata: ["step": "12"], to: path)
    let output = try PythonInterpreter.run(
      """
      import sys, safetensors, safetensors.numpy as s
      arrays = s.load_file(sys.argv[1])
      with safetensors.safe_open(sys.argv[1], "numpy") as f: print(f.metadata())
      for name in sorted(arrays): print(name, arrays[name].shape, arrays[name].ravel().tolist())
      s.save_file(arrays, sys.argv[2])
      """, path, copy)
    #expect(
      output == """
        {'step': '12'}
        a () [7.0]
        b/weight (2, 3) [1.0, -2.0, 3.5, inf, 0.0, 9.99994610111476e-41]
        empty (0, 4) []

        """)
    #expect(Set(try Safetensors.read(copy).arrays) == Set(Self.arrays))
  }
}
