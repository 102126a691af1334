import Canonical
import Diagnostics
import Foundation
import NeuralNet

/// ONNX files: a graph with its weights for other programs, such as ONNX Runtime.
///
/// Inputs and outputs have the names and shapes of the graph: images `[N, H, W, C]`, the batch `N` open. Operators are
/// named by the network's paths. Equal graphs and weights make equal files.
public enum ONNXFile {
  /// The format's version that goes with the operator set, and the most bytes that a file may have (protobuf's limit).
  private static let formatVersion = 8, largest = 1 << 31 - 1

  /// Writes a network for inference; the file is whole or not there.
  ///
  /// - Parameters:
  ///   - batchNorm: whether batch normalisations are operators of their own.
  ///   - metadata: what goes with the model: how inputs are prepared, what classes are called.
  /// - Throws: a `recipe` fault that names a node without a counterpart in ONNX, a `data` fault for a file that can't
  ///   be written, a `limit` fault for a network of more than 2 GiB.
  public static func write(
    _ graph: Graph, _ weights: Weights, batchNorm: ONNXGraph.BatchNorm = .kept, metadata: [String: String] = [:],
    to path: String
  ) throws {
    try AtomicFile.write(try encode(graph, weights, batchNorm: batchNorm, metadata: metadata), to: path)
  }

  /// What goes with a saved network, from what its `architecture.json` says: `architecture` (the decisions), `input` (a
  /// JSON object: shape, layout, normalisation, classes).
  public static func metadata(of description: JSONValue) -> [String: String] {
    let fields = ["architecture": description["text"]?.string, "input": description["input"]?.text()]
    return fields.compactMapValues { $0 }
  }

  /// The bytes of a file; see `write`.
  public static func encode(
    _ graph: Graph, _ weights: Weights, batchNorm: ONNXGraph.BatchNorm = .kept, metadata: [String: String] = [:]
  ) throws -> Data {
    var operators = ProtocolBuffer(), model = ProtocolBuffer()
    operators.add(2, ONNXGraph.opset)
    model.add(1, formatVersion)
    model.add(2, "nasrun")
    model.add(7, try message(graph.onnx(weights, batchNorm: batchNorm)))
    model.add(8, operators)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var entry = ProtocolBuffer()
      entry.add(1, key)
      entry.add(2, value)
      model.add(14, entry)
    }
    guard model.data.count <= largest else {
      throw Fault(
        .limit, "the network is too large for an ONNX file", expected: "2 GiB", got: "\(model.data.count) bytes")
    }
    return model.data
  }

  private static func message(_ graph: ONNXGraph) throws -> ProtocolBuffer {
    var message = ProtocolBuffer()
    for node in graph.operators { message.add(1, try self.message(node)) }
    message.add(2, "network")
    for tensor in graph.tensors { message.add(5, self.message(tensor)) }
    for port in graph.inputs { message.add(11, self.message(port)) }
    for port in graph.outputs { message.add(12, self.message(port)) }
    return message
  }

  private static func message(_ node: ONNXGraph.Operator) throws -> ProtocolBuffer {
    var message = ProtocolBuffer()
    for name in node.inputs { message.add(1, name) }
    for name in node.outputs { message.add(2, name) }
    message.add(3, node.name)
    message.add(4, node.type)
    for (name, value) in node.attributes.sorted(by: { $0.key < $1.key }) {
      message.add(5, try attribute(name, value, path: node.name))
    }
    return message
  }

  private static func attribute(_ name: String, _ value: JSONValue, path: String) throws -> ProtocolBuffer {
    var message = ProtocolBuffer()
    message.add(1, name)
    switch value {
    case .number(let number):
      message.add(2, Float(number))
      message.add(20, 1)
    case .int(let number):
      message.add(3, number)
      message.add(20, 2)
    case .string(let text):
      message.add(4, text)
      message.add(20, 3)
    case .array(let list) where list.allSatisfy { $0.int != nil }:
      for number in list { message.add(8, number.int ?? 0) }
      message.add(20, 7)
    default: throw Fault(.internal, "an attribute of ONNX has no such value", path: path, got: "\(name) = \(value)")
    }
    return message
  }

  private static func message(_ tensor: ONNXGraph.Tensor) -> ProtocolBuffer {
    var message = ProtocolBuffer()
    for extent in tensor.shape { message.add(1, extent) }
    switch tensor.numbers {
    case .floats(let values):
      message.add(2, ONNXGraph.Element.float.rawValue)
      message.add(8, tensor.name)
      message.add(9, bytes: values.withUnsafeBytes { Data($0) })
    case .integers(let values):
      message.add(2, ONNXGraph.Element.int64.rawValue)
      message.add(8, tensor.name)
      message.add(9, bytes: values.map(Int64.init).withUnsafeBytes { Data($0) })
    }
    return message
  }

  /// A port with its type.
  private static func message(_ port: ONNXGraph.Port) -> ProtocolBuffer {
    var shape = ProtocolBuffer(), tensor = ProtocolBuffer(), type = ProtocolBuffer(), message = ProtocolBuffer()
    if port.shape.hasBatch {
      var batch = ProtocolBuffer()
      batch.add(2, "N")
      shape.add(1, batch)
    }
    for extent in port.shape.dimensions {
      var dimension = ProtocolBuffer()
      dimension.add(1, extent)
      shape.add(1, dimension)
    }
    tensor.add(1, ONNXGraph.Element.float.rawValue)
    tensor.add(2, shape)
    type.add(1, tensor)
    message.add(1, port.name)
    message.add(2, type)
    return message
  }
}
