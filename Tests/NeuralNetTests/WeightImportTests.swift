import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet
import Testing

/// Files that PyTorch and safetensors wrote.
@Suite struct WeightImportTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "References/weights").path(percentEncoded: false)
  private static let map = [
    "features.0.weight": "conv/weight", "features.0.bias": "conv/bias", "fc.weight": "fc/weight", "fc.bias": "fc/bias",
  ]
  private static let places: [WeightImport.Place] = [
    .init(path: "conv/weight", shape: [2, 3, 3, 2]), .init(path: "conv/bias", shape: [2]),
    .init(path: "fc/weight", shape: [6, 4]), .init(path: "fc/bias", shape: [4]),
  ]

  @Test(arguments: ["f32", "f16", "bf16"])
  func readsPyTorchsArrays(type: String) throws {
    let data = try Data(contentsOf: URL(filePath: Self.folder + "/import.json"))
    let numbers = try JSONValue(parsing: data, source: "import.json")[type]
    let (arrays, unmatched) = try WeightImport(map: Self.map, layout: .pytorch).read(
      Self.folder + "/import_\(type).safetensors", for: Self.places)
    #expect(arrays.map(\.name) == Self.places.map(\.path) && unmatched.missing.isEmpty && unmatched.unused.isEmpty)
    #expect(arrays[0].values == (numbers?["conv"]?.array ?? []).map { Float($0.double ?? .nan) })
    #expect(arrays[2].values == (numbers?["linear"]?.array ?? []).map { Float($0.double ?? .nan) })
  }

  private func fault(_ how: WeightImport, _ places: [WeightImport.Place] = Self.places) -> String? {
    let fault = #expect(throws: Fault.self) {
      try how.read(Self.folder + "/import_f32.safetensors", for: places)
    }
    return fault?.description.replacing(Self.folder, with: "DIR")
  }

  @Test func everyUnmatchedNameIsListed() throws {
    var how = WeightImport(map: ["features.0.weight": "conv/weight", "fc.bias": "fc/bios"], layout: .pytorch)
    #expect(
      fault(how) == """
        DIR/import_f32.safetensors: names of the file and of the network don't match: expected an array for every \
        parameter, all used, got without an array: conv/bias, fc/bias, fc/weight; without a parameter: fc.bias, \
        fc.weight, features.0.bias. Name them in map, or load with strict = false.
        """)
    how.isStrict = false
    let (arrays, unmatched) = try how.read(Self.folder + "/import_f32.safetensors", for: Self.places)
    #expect(arrays.map(\.name) == ["conv/weight"] && unmatched.missing == ["conv/bias", "fc/bias", "fc/weight"])
    #expect(unmatched.unused == ["fc.bias", "fc.weight", "features.0.bias"])
  }

  @Test func wrongShapesAndDoubles() {
    #expect(
      fault(WeightImport(map: Self.map)) == """
        DIR/import_f32.safetensors: conv/weight: an array of the weights has another shape: expected [2, 3, 3, 2], \
        got [2, 3, 2, 3] from 'features.0.weight'
        """)
    #expect(
      fault(WeightImport(map: ["fc.bias": "a", "features.0.bias": "a"]), [.init(path: "a", shape: [4])]) == """
        DIR/import_f32.safetensors: a: two arrays for one parameter: got 'fc.bias' and 'features.0.bias'. \
        Make map give each name a path of its own.
        """)
  }
}
