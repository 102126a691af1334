import Canonical
import Exchange
import Foundation
import LuaHost
import NeuralNet
import TensorCore
import TestSupport
import Testing

/// Random architectures of every space of the library as ONNX files.
@Suite(.enabled(if: PythonInterpreter.path != nil, "set NASRUN_PYTHON to a Python that has onnxruntime"))
struct ONNXExportTests {
  /// Small members of each space: the ops are those of the large ones.
  private static let options = [
    "darts": "{ channels = 4, cells = 3 }", "mobile": "{ channels = { 8, 16 }, strides = { 1, 2 }, depths = { 1, 2 } }",
    "nasbench201": "{ channels = 4, cells = 1 }",
  ]

  /// The checker takes them, and ONNX Runtime computes what the plan does: 50 networks of each space, whose weights and
  /// running statistics are random.
  @Test func spacesComputeTheSame() throws {
    let spaces = LuaHost.embeddedLibrary.map(\.name).filter { $0.hasPrefix("nas.spaces.") }
      .map { String($0.dropFirst("nas.spaces.".count)) }.sorted()
    #expect(spaces == Self.options.keys.sorted())
    let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let compute = try Compute()
    var count = 0
    for space in spaces {
      for graph in try graphs(of: space) {
        // Every other with its batch norms folded.
        try write(
          graph, as: folder.appending(path: "\(space)-\(count)").path, count % 2 == 0 ? .kept : .folded, compute)
        count += 1
      }
    }
    #expect(count == 50 * spaces.count)
    #expect(try ONNXRuntime.check(folder.path) == ["\(count) checked"])
  }

  /// The graphs of 50 random architectures.
  private func graphs(of space: String) throws -> [Graph] {
    let recipe = """
      local nas = require "nas"
      local space = nas.spaces.\(space) \(Self.options[space] ?? "{}")
      for _ = 1, 50 do
        local folder = nas.network(space:random(), { input = { 12, 12, 3 }, classes = 5 }):save()
        print(folder)
      end
      """
    var graphs: [Graph] = []
    let result = try RecipeHarness().run(recipe) { folder in
      let file = (folder as NSString).appendingPathComponent("architecture.json")
      let about = try JSONValue(parsing: Data(contentsOf: URL(filePath: file)), source: file)
      graphs.append(try Graph(json: about["graph"] ?? .null, source: file))
    }
    #expect(result.fault == nil)
    return graphs
  }

  private func write(
    _ graph: Graph, as name: String, _ batchNorm: ONNXGraph.BatchNorm, _ compute: Compute
  ) throws {
    var stream = RandomStream(seed: 1, name: name)
    let weights = try Weights(graph, random: RandomSource(seed: 1, name: name))
    for parameter in graph.parameters where parameter.kind == .norm || parameter.kind == .statistic {
      let values = weights[parameter.path] ?? []
      try weights.set(parameter.path, values.map { _ in Float(0.5 + stream.uniform()) })
    }
    let shape = graph.type(of: graph.inputs[0]).shape, plan = try InferencePlan(graph, batch: 2, compute: compute)
    let x = (0..<2 * shape.elementsPerSample).map { _ in Float(stream.normal()) }
    let y = try plan.run(x, weights)
    let result = [2] + graph.type(of: graph.outputs[0]).shape.dimensions
    try ONNXFile.write(graph, weights, batchNorm: batchNorm, to: name + ".onnx")
    try Safetensors.write(
      [
        NamedArray(name: graph.inputs[0].name, shape: [2] + shape.dimensions, values: x),
        NamedArray(name: "y", shape: result, values: y),
      ], to: name + ".safetensors")
  }
}
