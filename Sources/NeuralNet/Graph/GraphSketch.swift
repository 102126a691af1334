import Canonical

/// A graph as a drawing needs it: one entry per node, in order, with where its activations come from.
public struct GraphSketch: Sendable {
  /// Where an activation comes from.
  public enum Source: Hashable, Sendable {
    /// An input of the graph, by position.
    case input(Int)
    /// A node, by position.
    case node(Int)
    /// A parameter that belongs to no layer, by its path.
    case parameter(String)
  }

  /// One use of an op.
  public struct Node: Sendable {
    /// `block2/mb3/conv1`
    public let path: String
    public let op: String
    /// The attributes that aren't at their defaults, such as `kernel 3×3, stride 2`; padding left out.
    public let attributes: String
    public let sources: [Source]
    /// Of the output: `32×32×16`.
    public let shape: String
    /// The trained numbers of its own parameters.
    public let parameters: Int
    /// Multiply-accumulates per sample.
    public let macs: Int
  }

  public let inputs: [(name: String, shape: String)]
  public let nodes: [Node]
  public let outputs: [(name: String, source: Source)]
}

extension Graph {
  /// What a drawing of the graph needs.
  public var sketch: GraphSketch {
    GraphSketch(
      inputs: inputs.map { ($0.name, values[$0.value].shape.drawn) }, nodes: nodes.map(sketch(of:)),
      outputs: outputs.map { ($0.name, source(of: $0.value)) })
  }

  private func sketch(of node: Node) -> GraphSketch.Node {
    var sources: [GraphSketch.Source] = [], own = 0
    for value in node.inputs {
      if case .parameter(let index) = origins[value], !parameters[index].isFree {
        own += parameters[index].kind.isTrained ? parameters[index].shape.elementsPerSample : 0
      } else {
        sources.append(source(of: value))
      }
    }
    let macs = node.op.macs(node.inputs.map { values[$0] }, node.outputs.map { values[$0] }, node.attributes)
    return GraphSketch.Node(
      path: node.path, op: node.op.name, attributes: Self.words(for: node), sources: sources,
      shape: values[node.outputs[0]].shape.drawn, parameters: own, macs: macs)
  }

  private func source(of value: Int) -> GraphSketch.Source {
    switch origins[value] {
    case .input(let index): .input(index)
    case .node(let index): .node(index)
    case .parameter(let index): .parameter(parameters[index].path)
    }
  }

  private static func words(for node: Node) -> String {
    node.op.attributes.compactMap { schema in
      guard schema.name != "padding", schema.kind != .numbers, let value = node.attributes[schema.name] else {
        return nil
      }
      let text = value.array.map { $0.map { $0.text() }.joined(separator: "×") } ?? value.string ?? value.text()
      let sides = Set(value.array ?? [value])
      guard sides.count != 1 || sides.first != schema.standard, value != schema.standard, !text.isEmpty else {
        return nil
      }
      return "\(schema.name) \(text)"
    }.joined(separator: ", ")
  }
}

extension Shape {
  /// The dimensions of one sample: `32×32×16`; `1` for a number.
  fileprivate var drawn: String { dimensions.isEmpty ? "1" : dimensions.map(String.init).joined(separator: "×") }
}
