import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet
import TensorCore
import TestSupport
import Testing

/// Networks as ONNX files: ONNX's checker takes them, and ONNX Runtime computes what the plan does.
@Suite(.enabled(if: PythonInterpreter.path != nil, "set NASRUN_PYTHON to a Python that has onnxruntime"))
final class ONNXTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("onnx-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Writes a network and the arrays that it is checked on.
  private func write(_ name: String, _ graph: Graph, _ weights: Weights, _ arrays: [NamedArray]) throws {
    try ONNXFile.write(graph, weights, to: folder.appendingPathComponent("\(name).onnx").path)
    try Safetensors.write(arrays, to: folder.appendingPathComponent("\(name).safetensors").path)
  }

  @Test func everyLayerComputesTheSame() throws {
    let examples = try ExampleNetwork.all(compute: try Compute())
    #expect(Set(examples.map(\.op)) == Set(OpTable.layers.map(\.name)))
    for (number, example) in examples.enumerated() {
      var output = example.output
      if !example.isRepeatable { output.name = "random" }
      try write("\(number)-\(example.op)", example.graph, example.weights, example.inputs + [output])
    }
    #expect(try ONNXRuntime.check(folder.path) == ["\(examples.count) checked"])
  }

  /// A network of convolutions keeps its channels first from the first to the last of them; its names are its paths.
  @Test func aNetworkIsTidy() throws {
    let graph = try NASBench201(channels: 4, cells: 1, size: 8).graph(
      "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
    let onnx = try graph.onnx(try Weights(graph, random: RandomSource(seed: 4, name: "w")))
    #expect(onnx.operators.count { $0.type == "Transpose" } == 1)
    #expect(!onnx.operators.contains { $0.type == "ConstantOfShape" })
    let names = onnx.operators.map(\.name), paths = Set(graph.nodes.map(\.path) + graph.outputs.map(\.name))
    #expect(Set(names).count == names.count)
    #expect(
      names.allSatisfy { name in paths.contains { name == $0 || name.hasPrefix($0 + "/") } || name == "x/Transpose" })
    #expect(Set(onnx.tensors.map(\.name)).isSuperset(of: ["stem/conv/weight"]))
    #expect(
      onnx.inputs.map(\.name) == graph.inputs.map(\.name) && onnx.outputs.map(\.name) == graph.outputs.map(\.name))
  }

  /// Of convolution, batch norm and a second reader: what may be folded is, and what another reads stays.
  @Test func batchNormsAreFolded() throws {
    let builder = try GraphBuilder(inputs: [("x", [5, 6, 3])])
    var x = builder.inputs
    for (name, bias) in [("first", true), ("second", false), ("read", false)] {
      let y = try builder.apply("conv2d", x, attributes: ["channels": 7, "kernel": 3, "bias": .bool(bias)], name: name)
      let z = try builder.apply("batch_norm", [y], name: name + "_norm")
      x = [name == "read" ? try builder.apply("add", [y, z]) : try builder.apply("relu", [z])]
    }
    let graph = try builder.finish(outputs: [("y", x[0])])
    let weights = try Weights(graph, random: RandomSource(seed: 2, name: "w"))
    var stream = RandomStream(seed: 2, name: "statistics")
    for parameter in graph.parameters where parameter.kind != .weight {
      try weights.set(parameter.path, (weights[parameter.path] ?? []).map { _ in Float(0.5 + stream.uniform()) })
    }
    let onnx = try graph.onnx(weights, batchNorm: .folded)
    #expect(onnx.operators.count { $0.type == "BatchNormalization" } == 1)
    #expect(onnx.operators.filter { $0.type == "Conv" }.map(\.inputs.count) == [3, 3, 2])
    let input = (0..<180).map { _ in Float(stream.normal()) },
      plan = try InferencePlan(graph, batch: 2, compute: Compute())
    let output = NamedArray(name: "y", shape: [2, 5, 6, 7], values: try plan.run(input, weights))
    try ONNXFile.write(graph, weights, batchNorm: .folded, to: folder.appendingPathComponent("0.onnx").path)
    try Safetensors.write(
      [NamedArray(name: "x", shape: [2, 5, 6, 3], values: input), output],
      to: folder.appendingPathComponent("0.safetensors").path)
    #expect(try ONNXRuntime.check(folder.path) == ["1 checked"])
  }

  /// Every size up and down, by both methods: where nearest pixels lie is a matter of rounding.
  @Test func imagesOfAnySizeAreResizedTheSame() throws {
    let compute = try Compute()
    var count = 0
    for height in [1, 5, 7, 12] {
      let cases: [[String: JSONValue]] =
        [1, 2, 3, 5, 7, 10, 12, 14, 21, 24].map { size in
          ["height": .int(size), "width": .int(25 - size)]
        } + [0.3, 0.5, 0.75, 1.1, 1.5, 2, 2.3, 3].filter { $0 * Double(height) >= 1 }.map { ["scale": .number($0)] }
      for size in cases {
        for (method, aligns) in [("nearest", false), ("bilinear", false), ("bilinear", true)] {
          let builder = try GraphBuilder(inputs: [("x", [height, 9, 2])])
          var attributes = size
          attributes["method"] = .string(method)
          attributes["align_corners"] = .bool(aligns)
          let y = try builder.apply("resize", builder.inputs, attributes: attributes)
          let graph = try builder.finish(outputs: [("y", y)])
          let weights = try Weights(graph, random: RandomSource(seed: 1, name: "w"))
          let x = (0..<height * 18).map { Float(($0 * 37) % 101) / 50 - 1 }
          let plan = try InferencePlan(graph, batch: 1, compute: compute),
            shape = graph.type(of: graph.outputs[0]).shape
          let output = NamedArray(name: "y", shape: [1] + shape.dimensions, values: try plan.run(x, weights))
          try write("\(count)", graph, weights, [NamedArray(name: "x", shape: [1, height, 9, 2], values: x), output])
          count += 1
        }
      }
    }
    #expect(try ONNXRuntime.check(folder.path) == ["\(count) checked"])
  }

  @Test func aChoiceHasToBeTakenFirst() throws {
    let builder = try GraphBuilder(inputs: [("x", [4])])
    let branches = try ["relu", "tanh"].map { (option: $0, value: try builder.apply($0, builder.inputs)) }
    let graph = try builder.finish(outputs: [("y", try builder.choice(decision: "op", branches: branches))])
    let fault = #expect(throws: Fault.self) {
      try graph.onnx(try Weights(graph, random: RandomSource(seed: 1, name: "w")))
    }
    #expect(fault?.description == "choice1: choice can't be written in ONNX. Take a path through the choices first.")
    let path = try graph.taking(["op": [1]])
    #expect(
      try path.onnx(try Weights(path, random: RandomSource(seed: 1, name: "w"))).operators.map(\.type) == ["Tanh"])
  }
}
