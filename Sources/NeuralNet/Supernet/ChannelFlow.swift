import Diagnostics

/// Which parameters carry the output channels of a layer: what has to change along when the channels change places.
public struct ChannelFlow {
  /// Paths of parameters whose last dimension is the channels.
  public private(set) var producers: [String] = []
  /// Paths of weights whose input dimension is the channels.
  public private(set) var consumers: [String] = []

  /// Ops that treat every channel by itself.
  private static let channelwise: Set<String> = [
    "batch_norm", "relu", "relu6", "silu", "hard_swish", "gelu", "sigmoid", "tanh", "max_pool", "avg_pool",
    "global_avg_pool", "resize", "dropout", "drop_path", "zero", "choice",
  ]

  /// Follows the channels of a convolution's or a linear layer's output to the layers that mix them.
  ///
  /// Throws a `recipe` fault when they meet other channels on the way: in a sum, a concatenation, an output.
  public init(of path: String, in graph: Graph) throws {
    let layers = graph.nodes.filter { ["conv2d", "linear"].contains($0.op.name) }
    guard let start = layers.first(where: { $0.path == path }) else {
      throw Fault(
        .recipe, "there is no convolution or linear layer '\(path)'",
        hint: Suggestion.hint(for: path, among: layers.map(\.path)))
    }
    addParameters(of: start, in: graph)
    var open = [start.outputs[0]], seen: Set<Int> = []
    while let value = open.popLast() {
      guard seen.insert(value).inserted else { continue }
      if graph.outputs.contains(where: { $0.value == value }) { throw Self.fault(path, "the network's output") }
      for node in graph.nodes where node.inputs.contains(value) {
        switch node.op.name {
        case "conv2d" where node.attributes.integer("groups") == graph.values[value].shape.channels:
          addParameters(of: node, in: graph)
          open.append(node.outputs[0])
        case "conv2d" where node.attributes.integer("groups") == 1, "linear":
          if let weight = graph.parameter(of: node, named: "weight") { consumers.append(weight) }
        case let name where Self.channelwise.contains(name):
          addParameters(of: node, in: graph)
          open.append(node.outputs[0])
        default: throw Self.fault(path, "\(node.op.name) at \(node.path)")
        }
      }
    }
  }

  private mutating func addParameters(of node: Graph.Node, in graph: Graph) {
    for input in node.inputs {
      if case .parameter(let index) = graph.origins[input] { producers.append(graph.parameters[index].path) }
    }
  }

  private static func fault(_ path: String, _ what: String) -> Fault {
    Fault(
      .recipe, "the channels of this layer can't be reordered by themselves", path: path,
      expected: "channels that only convolutions and linear layers read", got: what,
      hint: "Reorder the inner channels of a block, which no shortcut passes.")
  }
}

extension Graph {
  /// The path of a node's parameter by its last name.
  fileprivate func parameter(of node: Node, named name: String) -> String? {
    node.inputs.lazy.compactMap { input -> String? in
      guard case .parameter(let index) = self.origins[input] else { return nil }
      return self.parameters[index].path
    }.first { $0.hasSuffix("/" + name) }
  }
}
