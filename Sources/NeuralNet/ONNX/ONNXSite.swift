import Canonical
import TensorCore

/// One node while a network is written in ONNX: what a mapping sees.
struct ONNXSite {
  let draft: ONNXDraft
  let graph: Graph
  let node: Graph.Node

  var attributes: Attributes { node.attributes }
  /// The type of the op's first output.
  var output: ValueType { graph.values[node.outputs[0]] }
  /// How many inputs there are, parameters among them.
  var count: Int { node.inputs.count }

  func shape(_ input: Int) -> Shape { graph.values[node.inputs[input]].shape }

  // MARK: - Inputs

  /// The tensor of an input with its axes in another order.
  func permuted(_ input: Int, _ axes: [Int]) -> String { draft.tensor(of: node.inputs[input], axes: axes) }

  /// The tensor of an input with its axes as they are.
  func plain(_ input: Int) -> String { permuted(input, Array(0..<shape(input).rank)) }

  /// The tensor of an input `[N, H, W, C]` as `[N, C, H, W]`.
  func image(_ input: Int) -> String { permuted(input, ONNXValue.channelsFirst) }

  /// An input in the layout in which it is already there.
  func native(_ input: Int) -> ONNXValue {
    let axes =
      draft.has(node.inputs[input], axes: ONNXValue.channelsFirst)
      ? ONNXValue.channelsFirst : Array(0..<shape(input).rank)
    return ONNXValue(permuted(input, axes), axes)
  }

  /// Inputs (all by default) for an operator that works element by element: in one layout, that of the images among
  /// them where all others are images or single numbers.
  func together(_ chosen: [Int]? = nil) -> (names: [String], axes: [Int]) {
    let chosen = chosen ?? Array(0..<count)
    let areImages = chosen.allSatisfy { shape($0).isImage || shape($0).rank == 0 }
    guard areImages, chosen.contains(where: { draft.has(node.inputs[$0], axes: ONNXValue.channelsFirst) }) else {
      return (chosen.map(plain), Array(0..<output.shape.rank))
    }
    return (chosen.map { shape($0).isImage ? image($0) : plain($0) }, ONNXValue.channelsFirst)
  }

  /// Whether an input is zero everywhere.
  func isZero(_ input: Int) -> Bool {
    guard case .node(let index) = graph.origins[node.inputs[input]] else { return false }
    return graph.nodes[index].op.name == Op.zero.name
  }

  // MARK: - Results

  /// Adds an operator and returns its first output.
  func add(_ type: String, _ inputs: [String], _ attributes: [String: JSONValue] = [:], outputs: Int = 1) -> String {
    draft.add(type, inputs, attributes, path: node.path, outputs: outputs)[0]
  }

  /// A result with its axes as they are.
  func plain(_ name: String) -> ONNXValue { ONNXValue(name, Array(0..<output.shape.rank)) }

  /// A result `[N, C, H, W]`.
  func image(_ name: String) -> ONNXValue { ONNXValue(name, ONNXValue.channelsFirst) }

  // MARK: - Given numbers

  /// A single number.
  func number(_ value: Double, _ name: String) -> String { floats([Float(value)], name, shape: []) }

  func floats(_ values: [Float], _ name: String, shape: [Int]? = nil) -> String {
    draft.add(.floats(values), shape: shape ?? [values.count], named: "\(node.path)/\(name)")
  }

  /// A list of whole numbers.
  func integers(_ values: [Int], _ name: String) -> String {
    draft.add(.integers(values), shape: [values.count], named: "\(node.path)/\(name)")
  }

  // MARK: - What several ops are made of

  /// `name` (a tensor) times and plus numbers, without what changes nothing.
  func scaled(_ name: String, by factor: Double = 1, plus summand: Double = 0) -> String {
    let product = factor == 1 ? name : add("Mul", [name, number(factor, "factor")])
    return summand == 0 ? product : add("Add", [product, number(summand, "summand")])
  }

  /// Positions, which are floats from 1 in a network, as whole numbers from 0.
  func positions(_ name: String) -> String {
    cast(add("Sub", [name, number(1, "first")]), to: .int64)
  }

  /// Whole numbers from 0 as positions: floats from 1.
  func fromPositions(_ name: String) -> String { add("Add", [cast(name, to: .float), number(1, "first")]) }

  /// A tensor with elements of another type.
  func cast(_ name: String, to element: ONNXGraph.Element) -> String {
    add("Cast", [name], ["to": .int(element.rawValue)])
  }

  /// The extents of a shape as a tensor: with a batch, that of the input `like` as it is at run time.
  func extents(_ shape: Shape, like input: Int) -> String {
    guard shape.hasBatch else { return integers(shape.dimensions, "shape") }
    let batch = add("Shape", [plain(input)], ["start": 0, "end": 1])
    return shape.dimensions.isEmpty
      ? batch : add("Concat", [batch, integers(shape.dimensions, "dimensions")], ["axis": 0])
  }
}
