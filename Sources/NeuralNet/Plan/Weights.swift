import Canonical
import Diagnostics
import TensorCore

/// A dense array with a name: what checkpoints and weight files are made of.
public struct NamedArray: Hashable, Sendable {
  /// A parameter's path, or what it is: `momentum/stem/conv2d1/weight`.
  public var name: String
  public var shape: [Int]
  /// Row-major.
  public var values: [Float]

  public init(name: String, shape: [Int], values: [Float]) {
    self.name = name
    self.shape = shape
    self.values = values
  }
}

/// The numbers of a graph: trained parameters and running statistics, in one flat buffer.
public final class Weights {
  let layout: ParameterLayout
  private let buffer: AlignedBuffer
  /// Grows with every change of a number, so that a plan knows when what it has prepared is out of date.
  private(set) var version = 0
  private let index: [String: Int]

  /// Draws the first values. Each parameter has a random stream of its own, `<random.name>/<path>`, so another layer
  /// more or less changes nobody else's numbers.
  public convenience init(_ graph: Graph, random: RandomSource, scheme: WeightScheme = .standard) throws {
    try self.init(layout: ParameterLayout(graph))
    for (entry, parameter) in zip(layout.entries, graph.parameters) {
      var stream = random.stream(entry.path)
      scheme.initialiser(of: parameter).fill(
        mutableValues.advanced(by: entry.offset), count: entry.count, from: &stream)
    }
  }

  /// All zeros.
  init(layout: ParameterLayout) throws {
    self.layout = layout
    buffer = try AlignedBuffer(count: layout.totalFloats)
    index = Dictionary(uniqueKeysWithValues: layout.entries.enumerated().map { ($1.path, $0) })
  }

  /// The numbers, laid out as in `layout`. Valid as long as the weights.
  var values: UnsafePointer<Float> { UnsafePointer(buffer.pointer) }

  /// The same, for a change that is made before anybody else reads them.
  var mutableValues: UnsafeMutablePointer<Float> {
    noteChange()
    return buffer.pointer
  }

  /// Says that somebody who has the pointer changed a number.
  func noteChange() { version += 1 }

  /// The paths in the graph's order.
  public var paths: [String] { layout.entries.map(\.path) }

  /// How many numbers are trained.
  public var trainedCount: Int { layout.entries.filter(\.kind.isTrained).reduce(0) { $0 + $1.count } }

  /// Bytes of the parameters and statistics.
  public var byteCount: Int { buffer.byteCount }

  /// An independent copy.
  public func copy() throws -> Weights {
    let copy = try Weights(layout: layout)
    copy.mutableValues.update(from: values, count: layout.totalFloats)
    return copy
  }

  /// The values of one parameter or statistic, dense; nil for an unknown path.
  public subscript(path: String) -> [Float]? { index[path].map { values(of: layout.entries[$0]) } }

  /// Replaces the values of one parameter or statistic. Throws a `recipe` fault for an unknown path or another number of
  /// values.
  public func set(_ path: String, _ values: [Float]) throws {
    guard let entry = index[path].map({ layout.entries[$0] }) else {
      throw Fault(
        .recipe, "the network has no parameter '\(path)'", hint: Suggestion.hint(for: path, among: paths))
    }
    guard values.count == entry.count else {
      throw Fault(
        .recipe, "wrong number of values for a parameter", path: path, expected: "\(entry.count)",
        got: "\(values.count)")
    }
    mutableValues.advanced(by: entry.offset).update(from: values, count: entry.count)
  }

  /// Everything, in the graph's order.
  public var arrays: [NamedArray] {
    layout.entries.map { NamedArray(name: $0.path, shape: $0.shape.dimensions, values: values(of: $0)) }
  }

  /// Takes the values of arrays, one for each parameter and statistic. Throws a `data` fault that names the first path
  /// that is missing, unknown or of another shape; then nothing has changed.
  public func load(_ arrays: [NamedArray]) throws {
    let given = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
    for entry in layout.entries {
      guard let array = given[entry.path] else { throw Fault(.data, "the weights lack an array", path: entry.path) }
      guard array.shape == entry.shape.dimensions, array.values.count == entry.count else {
        throw Fault(
          .data, "an array of the weights has another shape", path: entry.path, expected: entry.shape.description,
          got: Shape.array(array.shape).description)
      }
    }
    if let unknown = arrays.first(where: { index[$0.name] == nil }) {
      throw Fault(
        .data, "the network has no such parameter", path: unknown.name,
        hint: Suggestion.hint(for: unknown.name, among: paths))
    }
    for array in arrays { try set(array.name, array.values) }
  }

  /// SHA-256 of paths, shapes and the bits of all values.
  public var digest: String {
    let digest = ContentDigest()
    for entry in layout.entries {
      digest.update(entry.path)
      digest.update(entry.shape.description)
      digest.update(
        bytes: UnsafeRawBufferPointer(start: values.advanced(by: entry.offset), count: 4 * entry.count))
    }
    return digest.finish()
  }

  /// Throws unless these are weights of a graph with this layout.
  func check(fits other: ParameterLayout) throws {
    guard layout != other else { return }
    let difference = zip(layout.entries, other.entries).first { $0 != $1 }
    throw Fault(
      .recipe, "these weights belong to another network", path: difference?.1.path,
      expected: difference.map { "\($0.1.path) \($0.1.shape)" } ?? "\(other.entries.count) parameters",
      got: difference.map { "\($0.0.path) \($0.0.shape)" } ?? "\(layout.entries.count)")
  }

  private func values(of entry: ParameterLayout.Entry) -> [Float] {
    Array(UnsafeBufferPointer(start: values.advanced(by: entry.offset), count: entry.count))
  }
}
