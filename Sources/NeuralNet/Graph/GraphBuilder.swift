import Canonical
import Diagnostics

/// Builds a graph call by call, with shapes inferred at once: where a recipe's `nn.*` calls end.
///
/// A node's path is the open scopes joined by `/`, then its name, or its op and a number counted within that scope from
/// 1 (`conv2d1`, `batch_norm1`). Its parameters are at `<path>/weight` and so on. A path is used once.
public final class GraphBuilder {
  private let draft = GraphDraft()
  private var names = NamePaths()
  /// The values to build on, in the order given.
  public private(set) var inputs: [Symbol] = []
  /// For each scope with layers whose names were counted and that have parameters, the names in their order.
  public private(set) var countedNames: [String: [String]] = [:]
  /// The values that layers read in the place of parameters, by their paths; see `derivingParameters`.
  public private(set) var derivedParameters: [String: Symbol] = [:]

  /// Starts a network on named inputs; shapes are without the batch: `[H, W, C]`, `[C]`, `[T, D]`.
  public init(inputs: [(name: String, shape: [Int])]) throws {
    guard !inputs.isEmpty else { throw Fault(.recipe, "a network needs an input") }
    for (name, shape) in inputs {
      try NamePaths.check(name, path: name)
      try names.claim(name, as: "an input")
      guard shape.count <= 4, shape.allSatisfy({ (1...Op.largestExtent).contains($0) }) else {
        throw Fault(
          .recipe, "wrong input shape", path: name,
          expected: "[H, W, C], [C] or up to four extents, each from 1 to \(Op.largestExtent)", got: "\(shape)")
      }
      self.inputs.append(draft.input(name, ValueType(.activation(shape))))
    }
  }

  /// The path of the open scopes, empty at the top.
  public var scopePath: String { names.scopePath }

  /// Opens a scope. A scope of this name must not have been opened in the same parent before: its nodes would mix.
  public func pushScope(_ name: String) throws { try names.pushScope(name) }

  /// Closes the scope opened last.
  public func popScope() { names.popScope() }

  /// Adds a node and returns its output.
  ///
  /// Throws a `recipe` fault that names the node's path for an unknown op or option, a wrong shape (with what was
  /// expected and what came) and a path that is taken.
  public func apply(
    _ op: String, _ inputs: [Symbol], attributes: [String: JSONValue] = [:], name: String? = nil
  ) throws -> Symbol {
    let op = try OpTable.layer(op, path: scopePath.isEmpty ? nil : scopePath)
    let leaf = name ?? names.automaticName(op.name)
    let path = names.path(of: leaf)
    try NamePaths.check(leaf, path: path)
    try names.claim(path, as: "a node")
    let known = draft.graph.parameters.count
    let value = try draft.layer(op, inputs, attributes, path: path)[0]
    if name == nil, draft.graph.parameters.count > known { countedNames[scopePath, default: []].append(leaf) }
    return value
  }

  /// Adds a choice between the values that the branches of a decision gave; see `Op.choice`.
  ///
  /// - Parameters:
  ///   - decision: the decision's path in the space.
  ///   - picks: how many branches are taken; the sum of several is what `sum` makes of them alone.
  ///   - branches: for each option its name and its value.
  public func choice(
    decision: String, picks: Int = 1, branches: [(option: String, value: Symbol)]
  ) throws -> Symbol {
    let path = try claimed(picks == 1 ? "choice" : "pick", as: "a choice")
    let attributes: [String: JSONValue] = [
      "decision": .string(decision), "options": .array(branches.map { .string($0.option) }), "picks": .int(picks),
    ]
    return try draft.apply(.choice, branches.map(\.value), Attributes(attributes), path: path)[0]
  }

  /// Adds the sum of the branches that a decision has picked.
  public func sum(ofPicked values: [Symbol]) throws -> Symbol {
    let path = try claimed("pick", as: "a choice")
    return values.count == 1 ? values[0] : try draft.apply(.add, values, path: path)[0]
  }

  /// The path of a node without parameters, by the next automatic name of its kind.
  private func claimed(_ kind: String, as what: String) throws -> String {
    let path = names.path(of: names.automaticName(kind))
    try names.claim(path, as: what)
    return path
  }

  /// From now on, a layer whose trained parameter has another shape in `shapes` gets what `derive` makes of a parameter
  /// of that shape. What `derive` adds is in a scope of its own: `block1/conv2d1_weight_share`.
  ///
  /// - Parameters:
  ///   - shapes: of whole parameters, by their paths.
  ///   - derive: gets the whole parameter, the shape that the layer needs and the path.
  public func derivingParameters(
    from shapes: [String: [Int]],
    by derive: @escaping (_ whole: Symbol, _ shape: [Int], _ path: String) throws -> Symbol
  ) {
    draft.substitute = { [unowned self] path, declared in
      guard declared.kind.isTrained, let shape = shapes[path], shape != declared.dimensions else { return nil }
      let whole = draft.parameter(path, .array(shape), kind: declared.kind, initialiser: declared.initialiser)
      try names.pushScope(path.split(separator: "/").suffix(2).joined(separator: "_") + "_share")
      defer { names.popScope() }
      let derived = try derive(whole, declared.dimensions, path)
      guard derived.draft == draft.identity, derived.shape == .array(declared.dimensions) else {
        throw Fault(
          .recipe, "share gave a parameter of another shape", path: path,
          expected: Shape.array(declared.dimensions).description, got: derived.shape.description)
      }
      derivedParameters[path] = derived
      return derived
    }
  }

  /// Adds a trained array in the open scope that belongs to no layer.
  public func parameter(_ name: String, _ shape: [Int], initialiser: Initialiser) throws -> Symbol {
    let path = names.path(of: name)
    try NamePaths.check(name, path: path)
    try names.claim(path, as: "a parameter")
    guard shape.allSatisfy({ $0 > 0 }) else {
      throw Fault(.recipe, "wrong shape of a parameter", path: path, expected: "whole numbers from 1", got: "\(shape)")
    }
    return draft.parameter(path, .array(shape), kind: .weight, initialiser: initialiser, isFree: true)
  }

  /// Adds a parameter whose whole path is known: from a graph file.
  func parameter(path: String, _ shape: [Int], initialiser: Initialiser) throws -> Symbol {
    try names.claim(path, as: "a parameter")
    return draft.parameter(path, .array(shape), kind: .weight, initialiser: initialiser, isFree: true)
  }

  /// Adds the mixing weights of a decision: a trained array, all zeros at first.
  public func mixingWeights(_ path: String, count: Int) throws -> Symbol {
    try names.claim(path, as: "mixing weights")
    return draft.parameter(path, .array([count]), kind: .mixing, initialiser: .constant(0))
  }

  /// Adds a node whose whole path is known: from a graph file.
  func apply(_ op: String, _ inputs: [Symbol], attributes: [String: JSONValue], path: String) throws -> Symbol {
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      try NamePaths.check(String(part), path: path)
    }
    try names.claim(path, as: "a node")
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
}
