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
  /// The open decisions that `nn.choice` took, in the order in which it met them.
  let open: [DecisionHandle]
}

extension SpaceDefinition {
  /// The decisions that can be left open: those of plain values, always active, one option each. A choice of options
  /// that hold decisions of their own, of several options, of a number or of a length is not among them.
  var openDecisions: [DecisionInfo] {
    space.decisions.filter { info in
      guard info.depth == 0, case .oneOf(let options, _) = info.node else { return false }
      return options.allSatisfy { if case .constant = $0 { true } else { false } }
    }
  }

  /// Builds the network of an architecture with decisions left open.
  ///
  /// - Parameters:
  ///   - open: the paths of the decisions to leave open.
  ///   - build: what `nn.choice` does, and where uses that need a value are noted.
  func openGraph(
    of architecture: Architecture, leavingOpen open: Set<String>, input shape: [Int], task: JSONValue,
    _ build: OpenBuild
  ) throws -> OpenGraph {
    let handles = Dictionary(
      uniqueKeysWithValues: openDecisions.filter { open.contains($0.path) }.map { info in
        (info.path, DecisionHandle(path: info.path, options: info.node.constants))
      })
    let builder = try GraphBuilder(inputs: [(name: "input", shape: shape)])
    let outputs = try session.building(with: builder, of: architecture.id, open: build) {
      try call(build: try view(of: architecture.values, at: "", handles), builder, task)
    }
    return OpenGraph(
      graph: try builder.finish(outputs: outputs), countedNames: builder.countedNames, open: build.met)
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
  /// The values of the options of a decision among plain values.
  var constants: [JSONValue] {
    guard case .oneOf(let options, _) = self else { return [] }
    return options.compactMap { if case .constant(let value) = $0 { value } else { nil } }
  }
}
