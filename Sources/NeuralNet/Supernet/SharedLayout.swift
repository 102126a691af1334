import Diagnostics

/// The parameters that the architectures of a space share: for each path the largest shape that one of them has.
///
/// Architectures are added one by one; what they disagree on beyond a size is an error, never a silent mix-up.
public struct SharedLayout {
  /// A parameter at its largest.
  struct Entry {
    var dimensions: [Int]
    let kind: ParameterKind
    var initialiser: Initialiser
    /// The architecture that the entry is from, for errors.
    var architecture: String
  }

  private(set) var entries: [String: Entry] = [:]
  /// In the order in which the paths were first seen.
  private(set) var paths: [String] = []
  /// For each scope, its layers with counted names, and an architecture that has it so.
  private var names: [String: (names: [String], architecture: String)] = [:]

  public init() {}

  /// Takes in the parameters of an architecture's network.
  ///
  /// - Parameters:
  ///   - countedNames: the builder's; a scope must count its layers alike in all architectures.
  ///   - architecture: its id, for errors.
  /// - Throws: a `recipe` fault that names both architectures where a path means different things in them.
  public mutating func add(_ graph: Graph, countedNames: [String: [String]], architecture: String) throws {
    for (scope, counted) in countedNames.sorted(by: { $0.key < $1.key }) {
      if let known = names[scope], known.names != counted {
        throw Fault(
          .recipe, "architectures count the layers of a scope differently, so they can't share weights",
          path: scope.isEmpty ? nil : scope,
          expected: "\(known.names.joined(separator: ", ")), as in \(known.architecture)",
          got: "\(counted.joined(separator: ", ")) in \(architecture)",
          hint: "Give the layers names, or put what is optional into an nn.scope or an nn.choice.")
      }
      if names[scope] == nil { names[scope] = (counted, architecture) }
    }
    for parameter in graph.parameters { try add(parameter, architecture) }
  }

  private mutating func add(_ parameter: Graph.Parameter, _ architecture: String) throws {
    let dimensions = parameter.shape.dimensions
    guard var entry = entries[parameter.path] else {
      paths.append(parameter.path)
      entries[parameter.path] = Entry(
        dimensions: dimensions, kind: parameter.kind, initialiser: parameter.initialiser, architecture: architecture)
      return
    }
    guard entry.kind == parameter.kind, entry.dimensions.count == dimensions.count else {
      throw Fault(
        .recipe, "one path means different parameters in two architectures", path: parameter.path,
        expected: "\(entry.kind.rawValue) \(Shape.array(entry.dimensions)), as in \(entry.architecture)",
        got: "\(parameter.kind.rawValue) \(Shape.array(dimensions)) in \(architecture)",
        hint: "Give the layers different names.")
    }
    let largest = zip(entry.dimensions, dimensions).map { max($0, $1) }
    if largest == dimensions, largest != entry.dimensions {
      entry.initialiser = parameter.initialiser
      entry.architecture = architecture
    }
    entry.dimensions = largest
    entries[parameter.path] = entry
  }

  /// The largest shape of each parameter, by its path.
  public var shapes: [String: [Int]] { entries.mapValues(\.dimensions) }

  /// A graph with nothing but the shared parameters.
  var graph: Graph {
    let draft = GraphDraft()
    for path in paths {
      guard let entry = entries[path] else { continue }
      _ = draft.parameter(path, .array(entry.dimensions), kind: entry.kind, initialiser: entry.initialiser)
    }
    return draft.graph
  }
}
