import Canonical
import Diagnostics
import Foundation
import NeuralNet

/// How another program's file of weights is taken over: names, layouts, and what may be left out.
public struct WeightImport: Sendable {
  /// Whose order of axes the file's arrays have.
  public enum Layout: String, Sendable, CaseIterable {
    /// As this program writes them.
    case nasrun
    /// Convolutions `[out, in / groups, ky, kx]` and linear layers `[out, in]`, which are transposed to
    /// `[ky, kx, in / groups, out]` and `[in, out]`.
    case pytorch
  }

  /// Where arrays go.
  public struct Place: Sendable, Equatable {
    public let path: String
    public let shape: [Int]

    public init(path: String, shape: [Int]) {
      self.path = path
      self.shape = shape
    }
  }

  /// What found no partner, each in order of names.
  public struct Unmatched: Sendable, Equatable {
    /// Paths of the network that no array was for.
    public let missing: [String]
    /// Arrays of the file that no path was for.
    public let unused: [String]

    public init(missing: [String], unused: [String]) { (self.missing, self.unused) = (missing, unused) }
  }

  /// The path for a name of the file; nil for an array that isn't wanted.
  public var map: [String: String]
  public var layout: Layout
  /// Names without a partner are an error.
  public var isStrict: Bool

  public init(map: [String: String], layout: Layout = .nasrun, isStrict: Bool = true) {
    self.map = map
    self.layout = layout
    self.isStrict = isStrict
  }

  /// The names of the arrays of floats in a safetensors file, and SHA-256 of the file's bytes.
  public static func names(in file: String) throws -> (names: [String], digest: String) {
    let digest = ContentDigest()
    try AtomicFile.read(file).withUnsafeBytes { digest.update(bytes: $0) }
    return (try Safetensors.read(file, skipsIntegers: true).arrays.map(\.name), digest.finish())
  }

  /// The arrays of a safetensors file (F32, F16, BF16; whole numbers are passed over), named by `places` and laid out as those are.
  ///
  /// - Returns: one array per place that has one, in the order of the places.
  /// - Throws: a `data` fault that names the file and both names when shapes differ or two arrays have one place; when
  ///   it is strict, one that lists every name without a partner.
  public func read(_ file: String, for places: [Place]) throws -> (arrays: [NamedArray], unmatched: Unmatched) {
    let arrays = try Safetensors.read(file, skipsIntegers: true).arrays
    do {
      return try match(arrays, to: places)
    } catch let fault as Fault {
      throw fault.located(at: file)
    }
  }

  private func match(
    _ arrays: [NamedArray], to places: [Place]
  ) throws -> (arrays: [NamedArray], unmatched: Unmatched) {
    let known = Set(places.map(\.path))
    var sources: [String: NamedArray] = [:], unused: [String] = []
    for array in arrays {
      guard let path = map[array.name], known.contains(path) else {
        unused.append(array.name)
        continue
      }
      if let other = sources.updateValue(array, forKey: path) {
        let names = [other.name, array.name].sorted()
        throw Fault(
          .data, "two arrays for one parameter", path: path, got: "'\(names[0])' and '\(names[1])'",
          hint: "Make map give each name a path of its own.")
      }
    }
    let unmatched = Unmatched(
      missing: places.map(\.path).filter { sources[$0] == nil }.sorted(), unused: unused.sorted())
    if isStrict { try Self.check(unmatched) }
    let placed = try places.compactMap { place in try sources[place.path].map { try convert($0, to: place) } }
    return (placed, unmatched)
  }

  private static func check(_ unmatched: Unmatched) throws {
    guard !unmatched.missing.isEmpty || !unmatched.unused.isEmpty else { return }
    let missing = unmatched.missing.isEmpty ? "" : "without an array: \(unmatched.missing.joined(separator: ", "))"
    let unused = unmatched.unused.isEmpty ? "" : "without a parameter: \(unmatched.unused.joined(separator: ", "))"
    throw Fault(
      .data, "names of the file and of the network don't match", expected: "an array for every parameter, all used",
      got: [missing, unused].filter { !$0.isEmpty }.joined(separator: "; "),
      hint: "Name them in map, or load with strict = false.")
  }

  private func convert(_ array: NamedArray, to place: Place) throws -> NamedArray {
    let converted = layout == .pytorch ? Self.transposed(array) : array
    guard converted.shape == place.shape else {
      throw Fault(
        .data, "an array of the weights has another shape", path: place.path, expected: "\(place.shape)",
        got: "\(converted.shape) from '\(array.name)'"
          + (layout == .pytorch && array.shape != converted.shape ? " \(array.shape)" : ""))
    }
    guard let bad = converted.values.first(where: { !$0.isFinite }) else {
      return NamedArray(name: place.path, shape: place.shape, values: converted.values)
    }
    throw Fault(
      .data, "an array of the weights holds what is no number", path: place.path, expected: "finite numbers",
      got: "\(bad.isNaN ? "NaN" : "\(bad)") in '\(array.name)'", hint: "Did the training that wrote the file diverge?")
  }

  /// `[out, in, ky, kx]` as `[ky, kx, in, out]`, `[out, in]` as `[in, out]`; others as they are.
  private static func transposed(_ array: NamedArray) -> NamedArray {
    guard array.shape.count == 4 || array.shape.count == 2 else { return array }
    let out = array.shape[0], inner = array.shape[1], kernel = array.shape.dropFirst(2).reduce(1, *)
    let values = [Float](unsafeUninitializedCapacity: array.values.count) { result, filled in
      for o in 0..<out {
        for i in 0..<inner {
          for k in 0..<kernel { result[(k * inner + i) * out + o] = array.values[(o * inner + i) * kernel + k] }
        }
      }
      filled = array.values.count
    }
    return NamedArray(name: array.name, shape: array.shape.dropFirst(2) + [inner, out], values: values)
  }
}

extension Weights {
  /// Where arrays go in these weights.
  public var places: [WeightImport.Place] { arrays.map { .init(path: $0.name, shape: $0.shape) } }

  /// Takes over another program's weights; parameters without an array stay as they are.
  ///
  /// - Throws: as `WeightImport.read`; then nothing has changed.
  @discardableResult
  public func load(from file: String, _ how: WeightImport) throws -> WeightImport.Unmatched {
    let (arrays, unmatched) = try how.read(file, for: places)
    for array in arrays { try set(array.name, array.values) }
    return unmatched
  }
}
