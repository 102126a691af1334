import Diagnostics

/// A network as data: nodes in the order they were built, values with shapes, parameters with paths.
///
/// A graph is immutable, holds no numbers, and its batch size is open. `GraphBuilder` makes one.
public struct Graph: Sendable {
  /// A named input or output.
  public struct Port: Hashable, Sendable {
    public let name: String
    /// The index in `values`.
    public let value: Int
  }

  /// One use of an op.
  public struct Node: Sendable {
    public let op: Op
    public let attributes: Attributes
    /// Indices in `values`: the activations, then the parameters.
    public let inputs: [Int]
    public let outputs: [Int]
    /// `block2/mb3/conv1`; unique in the graph.
    public let path: String
  }

  /// One trained array or running statistic. Two nodes never share one.
  public struct Parameter: Hashable, Sendable {
    /// The node's path and the parameter's name: `block2/mb3/conv1/weight`.
    public let path: String
    /// Dense, without a batch: `[ky, kx, in / groups, out]` for a convolution, `[in, out]` for a linear layer.
    public let shape: Shape
    public let kind: ParameterKind
    public let initialiser: Initialiser
    /// Whether it belongs to no layer: nodes read it like any value.
    public let isFree: Bool
    /// The index in `Graph.values`.
    public let value: Int
  }

  /// Where a value comes from.
  enum Origin: Hashable, Sendable {
    case input(Int)
    case parameter(Int)
    case node(Int)
  }

  public internal(set) var values: [ValueType] = []
  public internal(set) var nodes: [Node] = []
  public internal(set) var parameters: [Parameter] = []
  public internal(set) var inputs: [Port] = []
  public internal(set) var outputs: [Port] = []
  /// For each value.
  var origins: [Origin] = []

  /// The same nodes with other outputs: values by their names.
  public func giving(_ outputs: [(name: String, value: Symbol)]) -> Graph {
    var graph = self
    graph.outputs = outputs.map { Port(name: $0.name, value: $0.value.id) }
    return graph
  }

  /// The type of the value of a port.
  public func type(of port: Port) -> ValueType { values[port.value] }

  /// The node indices that the given values depend on, in order; the rest of the graph has no effect on them.
  func nodes(reaching targets: some Sequence<Int>) -> [Int] {
    var needed = [Bool](repeating: false, count: nodes.count)
    var open = Array(targets)
    while let value = open.popLast() {
      guard case .node(let index) = origins[value], !needed[index] else { continue }
      needed[index] = true
      open += nodes[index].inputs
    }
    return nodes.indices.filter { needed[$0] }
  }
}

extension Graph {
  /// The number of trained numbers, running statistics not among them.
  ///
  /// Nodes that no output depends on are counted too: NAS-Bench-201 counts a cell's dead edges, and an architecture's
  /// size should not depend on how clever the executor is.
  public var parameterCount: Int {
    parameters.filter { $0.kind.isTrained && $0.kind != .mixing }.reduce(0) { $0 + $1.shape.elementsPerSample }
  }

  /// Multiply-accumulates of one sample's forward pass: convolutions and linear layers (with the additions of a linear
  /// layer's bias); pooling, normalisation, activations and sums count 0. That is the "FLOPs" of NAS-Bench-201
  /// (Dong & Yang 2020). Dead nodes are counted.
  public var macs: Int {
    nodes.reduce(0) { total, node in
      total + node.op.macs(node.inputs.map { values[$0] }, node.outputs.map { values[$0] }, node.attributes)
    }
  }

  /// Bytes of activations and parameters that one sample's forward pass reads and writes, node by node, unpadded.
  public var bytesMoved: Int {
    nodes.reduce(0) { total, node in
      total + (node.inputs + [node.outputs[0]]).reduce(0) { $0 + 4 * values[$1].shape.elementsPerSample }
    }
  }
}
