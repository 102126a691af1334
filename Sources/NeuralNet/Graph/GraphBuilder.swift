import Canonical
import Diagnostics

/// Builds a graph call by call, with shapes inferred at once: where a recipe's `nn.*` calls end.
///
/// A node's path is the open scopes joined by `/`, then its name, or its op and a number counted within that scope from
/// 1 (`conv2d1`, `batch_norm1`). Its parameters are at `<path>/weight` and so on. A path is used once.
public final class GraphBuilder {
  /// One scope that is open.
  private struct Scope {
    let path: String
    /// How many nodes of each op have had an automatic name here.
    var counts: [String: Int] = [:]
  }

  private let draft = GraphDraft()
  private var scopes = [Scope(path: "")]
  /// Every path in use, with what it is.
  private var paths: [String: String] = [:]
  /// The values to build on, in the order given.
  public private(set) var inputs: [Symbol] = []
  /// For each scope with layers whose names were counted and that have parameters, the names in their order.
  public private(set) var countedNames: [String: [String]] = [:]

  /// Starts a network on named inputs; shapes are without the batch, `[H, W, C]` or `[C]`.
  public init(inputs: [(name: String, shape: [Int])]) throws {
    guard !inputs.isEmpty else { throw Fault(.recipe, "a network needs an input") }
    for (name, shape) in inputs {
      try checkName(name, path: name)
      try claim(name, as: "an input")
      guard [1, 3].contains(shape.count), shape.allSatisfy({ (1...Op.largestExtent).contains($0) }) else {
        throw Fault(
          .recipe, "wrong input shape", path: name,
          expected: "[H, W, C] or [C], each from 1 to \(Op.largestExtent)", got: "\(shape)")
      }
      self.inputs.append(draft.input(name, ValueType(.activation(shape))))
    }
  }

  /// The path of the open scopes, empty at the top.
  public var scopePath: String { scopes[scopes.count - 1].path }

  /// Opens a scope. A scope of this name must not have been opened in the same parent before: its nodes would mix.
  public func pushScope(_ name: String) throws {
    let path = join(scopePath, name)
    try checkName(name, path: path)
    try claim(path, as: "a scope")
    scopes.append(Scope(path: path))
  }

  /// Closes the scope opened last.
  public func popScope() {
    if scopes.count > 1 { scopes.removeLast() }
  }

  /// Adds a node and returns its output.
  ///
  /// Throws a `recipe` fault that names the node's path for an unknown op or option, a wrong shape (with what was
  /// expected and what came) and a path that is taken.
  public func apply(
    _ op: String, _ inputs: [Symbol], attributes: [String: JSONValue] = [:], name: String? = nil
  ) throws -> Symbol {
    let op = try OpTable.layer(op, path: scopePath.isEmpty ? nil : scopePath)
    let leaf = name ?? automaticName(op.name)
    let path = join(scopePath, leaf)
    try checkName(leaf, path: path)
    try claim(path, as: "a node")
    let known = draft.graph.parameters.count
    let value = try draft.layer(op, inputs, attributes, path: path)[0]
    if name == nil, draft.graph.parameters.count > known { countedNames[scopePath, default: []].append(leaf) }
    return value
  }

  /// Adds a choice between the values that the branches of a decision gave; see `Op.choice`.
  ///
  /// - Parameters:
  ///   - decision: the decision's path in the space.
  ///   - branches: for each option its name and its value.
  public func choice(decision: String, branches: [(option: String, value: Symbol)]) throws -> Symbol {
    let path = join(scopePath, automaticName("choice"))
    try claim(path, as: "a choice")
    let attributes: [String: JSONValue] = [
      "decision": .string(decision), "options": .array(branches.map { .string($0.option) }),
    ]
    return try draft.apply(.choice, branches.map(\.value), Attributes(attributes), path: path)[0]
  }

  /// Adds a trained array that belongs to no layer: the mixing weights of a decision. All zeros at first.
  public func mixingWeights(_ path: String, count: Int) throws -> Symbol {
    try claim(path, as: "mixing weights")
    return draft.parameter(path, .array([count]), kind: .mixing, initialiser: .constant(0))
  }

  /// Adds a sum of values, each multiplied by its element of the array `weights`; see `Op.weightedSum`.
  public func weightedSum(_ values: [Symbol], weights: Symbol) throws -> Symbol {
    let path = join(scopePath, automaticName("weighted_sum"))
    try claim(path, as: "a weighted sum")
    return try draft.apply(.weightedSum, [weights] + values, path: path)[0]
  }

  /// Adds a node whose whole path is known: from a graph file.
  func apply(_ op: String, _ inputs: [Symbol], attributes: [String: JSONValue], path: String) throws -> Symbol {
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      try checkName(String(part), path: path)
    }
    try claim(path, as: "a node")
    return try draft.layer(try OpTable.layer(op, path: path), inputs, attributes, path: path)[0]
  }

  /// The finished graph. Every output must be a value of this builder, with a name of its own.
  public func finish(outputs: [(name: String, value: Symbol)]) throws -> Graph {
    guard !outputs.isEmpty else {
      throw Fault(.recipe, "a network needs an output", hint: "Return a value from build.")
    }
    for (index, (name, value)) in outputs.enumerated() {
      guard value.draft == draft.identity else {
        throw Fault(.recipe, "output '\(name)' belongs to another network")
      }
      guard !outputs[..<index].contains(where: { $0.name == name }) else {
        throw Fault(.recipe, "two outputs are named '\(name)'")
      }
      draft.output(name, value)
    }
    return draft.graph
  }

  private func automaticName(_ op: String) -> String {
    let count = scopes[scopes.count - 1].counts[op, default: 0] + 1
    scopes[scopes.count - 1].counts[op] = count
    return "\(op)\(count)"
  }

  private func join(_ scope: String, _ name: String) -> String { scope.isEmpty ? name : "\(scope)/\(name)" }

  /// Takes a path, or throws when it is taken.
  private func claim(_ path: String, as what: String) throws {
    if let holder = paths[path] {
      throw Fault(
        .recipe, "\(what) can't have a path that \(holder) has already", path: path,
        hint: "Give one of them another name.")
    }
    paths[path] = what
  }

  private func checkName(_ name: String, path: String) throws {
    let isPlain = name.unicodeScalars.allSatisfy { scalar in
      "a"..."z" ~= scalar || "A"..."Z" ~= scalar || "0"..."9" ~= scalar || scalar == "_" || scalar == "-"
    }
    guard isPlain, !name.isEmpty else {
      throw Fault(
        .recipe, "wrong name", path: path, expected: "letters, digits, '_' and '-'",
        got: JSONValue.string(name).text())
    }
  }
}
