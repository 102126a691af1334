import Canonical
import Diagnostics
import Synchronization

/// A value in a graph that is being built.
public struct Symbol: Hashable, Sendable {
  /// The index of the value.
  public let id: Int
  public let type: ValueType
  /// The draft that it belongs to.
  let draft: Int

  /// Channels-last, with the batch dimension `N`.
  public var shape: Shape { type.shape }
}

/// A graph that can still grow: what builders and transformations of graphs write into.
final class GraphDraft {
  private static let drafts = Atomic<Int>(0)

  /// What makes two nodes compute the same.
  private struct Computation: Hashable {
    let op: String
    let inputs: [Int]
    let attributes: Attributes
  }

  private(set) var graph = Graph()
  /// What a layer reads in the place of a parameter that it declares at a path; nil for the parameter itself.
  var substitute: ((_ path: String, _ declared: ParameterDeclaration) throws -> Symbol?)?
  private let isMerging: Bool
  private var merged: [Computation: [Symbol]] = [:]
  let identity = GraphDraft.drafts.add(1, ordering: .relaxed).newValue
  /// Starts empty. With `mergingEqualNodes`, `apply` returns an earlier node of the same op, inputs and attributes.
  init(mergingEqualNodes: Bool = false) { isMerging = mergingEqualNodes }

  /// The most layers that a recipe may put into a network: beyond it is a loop that never ends.
  private static let mostNodes = 100_000

  func symbol(_ id: Int) -> Symbol { Symbol(id: id, type: graph.values[id], draft: identity) }

  func input(_ name: String, _ type: ValueType) -> Symbol {
    let value = addValue(type, from: .input(graph.inputs.count))
    graph.inputs.append(Graph.Port(name: name, value: value))
    return symbol(value)
  }

  func parameter(
    _ path: String, _ shape: Shape, kind: ParameterKind, initialiser: Initialiser, isFree: Bool = false
  ) -> Symbol {
    let value = addValue(ValueType(shape), from: .parameter(graph.parameters.count))
    graph.parameters.append(
      Graph.Parameter(
        path: path, shape: shape, kind: kind, initialiser: initialiser, isFree: isFree, value: value))
    return symbol(value)
  }

  /// Adds a node whose parameters it creates at `path`. Returns all outputs.
  func layer(_ op: Op, _ inputs: [Symbol], _ attributes: [String: JSONValue], path: String) throws -> [Symbol] {
    try op.checkArity(inputs.count, path: path)
    guard graph.nodes.count < Self.mostNodes else {
      throw Fault(
        .recipe, "the network has too many layers", path: path, expected: "at most \(Self.mostNodes)",
        hint: "Does a loop in build never end?")
    }
    if let stranger = inputs.firstIndex(where: { $0.draft != identity }) {
      throw Fault(
        .recipe, "\(op.name): input \(stranger + 1) belongs to another network", path: path,
        hint: "Build a network from the values of one build only.")
    }
    var use = OpUse(
      op: op, path: path, inputs: inputs.map(\.type),
      attributes: try Attributes.checked(attributes, for: op, path: path))
    use.attributes = try op.resolve(use)
    let outputs = try use.outputs()
    let parameters = try op.parameters(use).map { declared in
      let path = "\(path)/\(declared.name)"
      return try substitute?(path, declared)
        ?? parameter(path, .array(declared.dimensions), kind: declared.kind, initialiser: declared.initialiser)
    }
    return addNode(op, inputs + parameters, use.attributes, outputs, path: path)
  }

  /// Adds a node on existing values only, parameters among them.
  func apply(_ op: Op, _ inputs: [Symbol], _ attributes: Attributes = Attributes(), path: String) throws -> [Symbol] {
    let computation = Computation(op: op.name, inputs: inputs.map(\.id), attributes: attributes)
    if isMerging, op.isRepeatable, let earlier = merged[computation] { return earlier }
    let use = OpUse(op: op, path: path, inputs: inputs.map(\.type), attributes: attributes)
    let outputs = addNode(op, inputs, attributes, try op.infer(use), path: path)
    merged[computation] = outputs
    return outputs
  }

  func output(_ name: String, _ value: Symbol) {
    graph.outputs.append(Graph.Port(name: name, value: value.id))
  }

  private func addNode(
    _ op: Op, _ inputs: [Symbol], _ attributes: Attributes, _ outputs: [ValueType], path: String
  ) -> [Symbol] {
    let index = graph.nodes.count
    let values = outputs.map { addValue($0, from: .node(index)) }
    graph.nodes.append(
      Graph.Node(op: op, attributes: attributes, inputs: inputs.map(\.id), outputs: values, path: path))
    return values.map(symbol)
  }

  private func addValue(_ type: ValueType, from origin: Graph.Origin) -> Int {
    graph.values.append(type)
    graph.origins.append(origin)
    return graph.values.count - 1
  }
}
