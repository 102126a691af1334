import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore

/// The network of a space in which some decisions are left open.
struct OpenGraph {
  let graph: Graph
  /// The builder's counted names, by scope.
  let countedNames: [String: [String]]
  /// The open decisions that `nn.choice` and `nn.pick` took, in the order in which they met them.
  let open: [DecisionHandle]
  /// What layers read in the place of whole parameters, by their paths; see `Sharing`.
  let derived: [String: Symbol]
}

extension SpaceDefinition {
  /// The decisions that can be left open: one or several of plain values, always active. A choice of options that hold
  /// decisions of their own, in an order, of one option twice, of a number or of a length is not among them.
  var openDecisions: [DecisionInfo] { space.decisions.filter { $0.depth == 0 && $0.node.openOptions != nil } }

  /// Builds the network of an architecture with decisions left open.
  ///
  /// - Parameters:
  ///   - open: the paths of the decisions to leave open.
  ///   - build: what `nn.choice` and `nn.pick` do, and where uses that need a value are noted.
  func openGraph(
    of architecture: Architecture, leavingOpen open: Set<String>, input shape: [Int], task: JSONValue,
    _ build: OpenBuild
  ) throws -> OpenGraph {
    let handles = Dictionary(
      uniqueKeysWithValues: openDecisions.filter { open.contains($0.path) }.map { info in
        (
          info.path,
          DecisionHandle(path: info.path, options: info.node.openOptions ?? [], picks: info.node.picks, build: build)
        )
      })
    let builder = try GraphBuilder(inputs: [(name: "input", shape: shape)])
    build.sharing?.begin(builder, session)
    let outputs = try session.building(with: builder, of: architecture.id, open: build) {
      try call(build: try view(view(of: architecture.values, at: "", handles)), builder, task)
    }
    return OpenGraph(
      graph: try builder.finish(outputs: outputs), countedNames: builder.countedNames, open: build.met,
      derived: builder.derivedParameters)
  }

  /// The values of an architecture as a Lua value, with handles in the places of open decisions.
  private func view(of value: JSONValue, at path: String, _ handles: [String: DecisionHandle]) throws -> LuaValue {
    if let handle = handles[path] { return .userdata(handle) }
    switch value {
    case .object(let fields):
      var table: [String: LuaValue] = [:]
      for (key, field) in fields {
        table[key] = try view(of: field, at: path.isEmpty ? key : "\(path).\(key)", handles)
      }
      return try session.host.table(table)
    case .array(let values):
      return try session.host.table(
        values.enumerated().map { try view(of: $1, at: "\(path)[\($0 + 1)]", handles) })
    default: return try session.host.value(value)
    }
  }
}

extension SpaceNode {
  /// The values to choose from, of a decision that can be left open; nil for others.
  fileprivate var openOptions: [JSONValue]? {
    let options: [SpaceNode]
    switch self {
    case .oneOf(let all, _), .manyOf(_, let all, ordered: false, distinct: true, _): options = all
    default: return nil
    }
    let values = options.compactMap { if case .constant(let value) = $0 { value } else { nil } }
    return values.count == options.count ? values : nil
  }

  /// How many options a decision takes; nil when it takes one.
  fileprivate var picks: Int? { if case .manyOf(let count, _, _, _, _) = self { count } else { nil } }
}
