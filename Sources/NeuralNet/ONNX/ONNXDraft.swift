import Canonical
import Diagnostics
import TensorCore

extension Graph {
  /// The network for inference in ONNX, with weights: layers as their own operators where ONNX has them, else as what
  /// they are made of; dropout and what no output depends on are left out.
  ///
  /// - Parameter batchNorm: whether batch normalisations are operators of their own.
  /// - Throws: a `recipe` fault that names the first node without a counterpart: a choice between branches, of which a
  ///   path has to be taken first (`taking`).
  public func onnx(_ weights: Weights, batchNorm: ONNXGraph.BatchNorm = .kept) throws -> ONNXGraph {
    let graph = try expanded(for: .inference, keeping: [], whole: { $0.onnx != nil }).draft.graph
    let draft = ONNXDraft(graph, weights)
    for index in graph.nodes(reaching: graph.outputs.map(\.value)) { try draft.write(graph.nodes[index]) }
    var result = draft.finish()
    if batchNorm == .folded { result.foldBatchNormalisations() }
    return result
  }
}

/// An ONNX graph that is being written. Names are the network's paths; what stands around an operator is below it.
final class ONNXDraft {
  private let graph: Graph
  private let weights: Weights
  private var result = ONNXGraph()
  private var names: Set<String> = []
  /// The tensors that stand for each value, with the order of their axes.
  private var tensors: [Int: [ONNXValue]] = [:]
  private let outputNames: [String]

  init(_ graph: Graph, _ weights: Weights) {
    (self.graph, self.weights) = (graph, weights)
    names = Set((graph.inputs + graph.outputs).map(\.name))
    outputNames = graph.outputs.map(\.name)
    result.inputs = graph.inputs.map { ONNXGraph.Port(name: $0.name, shape: graph.type(of: $0).shape) }
    result.outputs = graph.outputs.map { ONNXGraph.Port(name: $0.name, shape: graph.type(of: $0).shape) }
    for port in graph.inputs {
      tensors[port.value] = [ONNXValue(port.name, Array(0..<graph.type(of: port).shape.rank))]
    }
  }

  /// Writes a node after those that it reads.
  func write(_ node: Graph.Node) throws {
    guard let mapping = node.op.onnx else {
      throw Fault(
        .recipe, "\(node.op.name) can't be written in ONNX", path: node.path,
        hint: node.op.name == Op.choice.name ? "Take a path through the choices first." : nil)
    }
    let before = result.operators.count
    var value = try mapping.write(ONNXSite(draft: self, graph: graph, node: node))
    if let last = result.operators.indices.last, last >= before, result.operators[last].outputs[0] == value.name,
      !tensors.values.contains(where: { $0.contains { $0.name == value.name } })
    {
      value = ONNXValue(unused(node.path), value.axes)
      result.operators[last].outputs[0] = value.name
      result.operators[last].name = value.name
    }
    tensors[node.outputs[0]] = [value]
  }

  /// Adds an operator; its outputs are below `path`.
  func add(
    _ type: String, _ inputs: [String], _ attributes: [String: JSONValue], path: String, outputs count: Int = 1
  ) -> [String] {
    let outputs = (0..<count).map { _ in unused("\(path)/\(type)") }
    result.operators.append(
      ONNXGraph.Operator(
        name: outputs[0], type: type, inputs: inputs, outputs: outputs, attributes: attributes))
    return outputs
  }

  /// Adds given numbers.
  func add(_ numbers: ONNXGraph.Tensor.Numbers, shape: [Int], named name: String) -> String {
    let name = unused(name)
    result.tensors.append(ONNXGraph.Tensor(name: name, shape: shape, numbers: numbers))
    return name
  }

  /// Whether a value is already there with its axes in an order.
  func has(_ value: Int, axes: [Int]) -> Bool { tensors[value]?.contains { $0.axes == axes } ?? false }

  /// The tensor of a value with its axes in an order: a parameter's numbers are put into it, others are transposed.
  func tensor(of value: Int, axes: [Int]) -> String {
    if let there = tensors[value]?.first(where: { $0.axes == axes }) { return there.name }
    let name: String
    if case .parameter(let index) = graph.origins[value] {
      let parameter = graph.parameters[index], shape = parameter.shape.dimensions
      let numbers = Self.permuted(weights[parameter.path] ?? [], shape: shape, axes: axes)
      name = add(.floats(numbers), shape: axes.map { shape[$0] }, named: parameter.path)
    } else {
      let known = tensors[value]?[0] ?? ONNXValue("", axes)
      let order = axes.map { axis in JSONValue.int(known.axes.firstIndex(of: axis) ?? 0) }
      name = add("Transpose", [known.name], ["perm": .array(order)], path: known.name)[0]
    }
    tensors[value, default: []].append(ONNXValue(name, axes))
    return name
  }

  /// The graph, its outputs by their names, without what none of them depends on.
  func finish() -> ONNXGraph {
    for (port, name) in zip(graph.outputs, outputNames) { deliver(port.value, as: name) }
    var needed = Set(outputNames)
    result.operators = Array(
      result.operators.reversed().filter { node in
        guard node.outputs.contains(where: needed.contains) else { return false }
        needed.formUnion(node.inputs)
        return true
      }.reversed())
    result.tensors.removeAll { !needed.contains($0.name) }
    return result
  }

  /// Gives an output's name to the operator that makes the value, or to a copy where that has a name to keep.
  private func deliver(_ value: Int, as name: String) {
    let known = tensor(of: value, axes: Array(0..<graph.values[value].shape.rank))
    let isPort = result.inputs.contains { $0.name == known } || outputNames.contains(known)
    guard !isPort, let maker = result.operators.firstIndex(where: { $0.outputs[0] == known }) else {
      result.operators.append(
        ONNXGraph.Operator(name: name, type: "Identity", inputs: [known], outputs: [name], attributes: [:]))
      return
    }
    result.operators[maker].outputs[0] = name
    result.operators[maker].name = name
    for index in result.operators.indices {
      result.operators[index].inputs = result.operators[index].inputs.map { $0 == known ? name : $0 }
    }
    tensors = tensors.mapValues { $0.map { $0.name == known ? ONNXValue(name, $0.axes) : $0 } }
  }

  /// The name, or with a number behind it where it is taken.
  private func unused(_ name: String) -> String {
    var candidate = name, number = 2
    while !names.insert(candidate).inserted {
      candidate = "\(name)_\(number)"
      number += 1
    }
    return candidate
  }

  private static func permuted(_ values: [Float], shape: [Int], axes: [Int]) -> [Float] {
    guard axes != Array(0..<shape.count) else { return values }
    let dense = StridedLayout(shape, paddingChannels: false), moved = dense.permuted(axes)
    return [Float](unsafeUninitializedCapacity: values.count) { result, filled in
      filled = values.count
      guard let target = result.baseAddress else { return }
      values.withUnsafeBufferPointer { source in
        guard let start = source.baseAddress else { return }
        Strided.copy(start, moved, to: target, StridedLayout(moved.dimensions, paddingChannels: false))
      }
    }
  }
}
