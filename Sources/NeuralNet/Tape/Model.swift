import Canonical
import Diagnostics
import TensorCore

/// The parameters of a script's own model, found by path.
///
/// Every call of the model is run by `calling`; its layers then find their parameters by scope and name, or make them
/// in the first call. Each is drawn from a random stream of its own, `<random.name>/<path>`.
public final class Model {
  private struct Entry {
    let tensor: Tensor
    let kind: ParameterKind
  }

  /// Where first values come from.
  public let random: RandomSource
  /// Whether layers that have more than one way behave as in training.
  public var isTraining = true
  private var entries: [String: Entry] = [:]
  private var order: [String] = []
  private var names = NamePaths()
  /// Arrays that were loaded before the model made their parameters.
  private var waiting: [String: NamedArray] = [:]

  public init(random: RandomSource) { self.random = random }

  /// Runs a call: names are counted from 1 in it. After one that the model's own function makes, as for the nodes of a
  /// tree, they go on where they were.
  public func calling<Result>(_ body: () throws -> Result) rethrows -> Result {
    let outer = names
    names = NamePaths()
    defer { names = outer }
    return try body()
  }

  public func pushScope(_ name: String) throws { try names.pushScope(name) }
  public func popScope() { names.popScope() }

  /// The trained parameters, in the order in which they were made.
  public var parameters: [Tensor] {
    order.compactMap { entries[$0] }.filter(\.kind.isTrained).map(\.tensor)
  }

  /// Runs a layer on tensors; see `Tape.apply`.
  public func apply(
    _ layer: TapeLayer, _ inputs: [Tensor], attributes: [String: JSONValue], name: String?, words: [UInt64]? = nil,
    on tape: Tape
  ) throws -> Tensor {
    let op = layer.op
    let leaf = name ?? names.automaticName(op.name), path = names.path(of: leaf)
    try NamePaths.check(leaf, path: path)
    try names.claim(path, as: "a node")
    return try tape.apply(op, inputs, attributes, path: path, words: words) { declared in
      try declared.map {
        try parameter(at: "\(path)/\($0.name)", $0.dimensions, kind: $0.kind, initialiser: $0.initialiser)
      }
    }
  }

  /// Counts a call of a layer without parameters among the automatic names, as `apply` does.
  public func countName(of op: Op) { names.countAutomaticName(op.name) }

  /// A trained tensor of any shape at the name's path in the open scope.
  public func parameter(_ name: String, _ shape: [Int], initialiser: Initialiser) throws -> Tensor {
    let path = names.path(of: name)
    try NamePaths.check(name, path: path)
    try names.claim(path, as: "a parameter")
    return try parameter(at: path, shape, kind: .weight, initialiser: initialiser)
  }

  private func parameter(
    at path: String, _ shape: [Int], kind: ParameterKind, initialiser: Initialiser
  ) throws -> Tensor {
    if let known = entries[path]?.tensor {
      guard known.shape == shape else {
        throw Fault(
          .recipe, "a parameter can't change its shape", path: path, expected: "\(Shape.array(known.shape))",
          got: "\(Shape.array(shape))")
      }
      return known
    }
    let tensor = try Tensor(
      shape, [Float](repeating: 0, count: shape.reduce(1, *)), requiresGradient: kind.isTrained)
    tensor.name = path
    var stream = random.stream(path)
    initialiser.fill(tensor.storage.pointer, count: tensor.count, from: &stream)
    if let array = waiting.removeValue(forKey: path) { try take(array, into: tensor) }
    entries[path] = Entry(tensor: tensor, kind: kind)
    order.append(path)
    return tensor
  }

  // MARK: - Saving

  /// All parameters and statistics, in the order in which they were made; each has its path as its name.
  public var tensors: [Tensor] { order.compactMap { entries[$0]?.tensor } }

  /// All parameters and statistics, in the order in which they were made.
  public var arrays: [NamedArray] {
    order.compactMap { path in
      entries[path].map { NamedArray(name: path, shape: $0.tensor.shape, values: $0.tensor.values) }
    }
  }

  /// Takes the values of arrays by path. Those of parameters that no call has made yet wait for it. Throws a `data`
  /// fault that names the first array of another shape, or a parameter that is missing.
  public func load(_ arrays: [NamedArray]) throws {
    let given = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
    for path in order where given[path] == nil {
      throw Fault(.data, "the weights lack an array", path: path)
    }
    for array in arrays {
      if let entry = entries[array.name] { try take(array, into: entry.tensor) } else { waiting[array.name] = array }
    }
  }

  private func take(_ array: NamedArray, into tensor: Tensor) throws {
    guard array.shape == tensor.shape else {
      throw Fault(
        .data, "an array of the weights has another shape", path: array.name,
        expected: "\(Shape.array(tensor.shape))", got: "\(Shape.array(array.shape))")
    }
    try tensor.set(array.values)
  }
}
