import Canonical
import Diagnostics

/// How a mutation draws the decision that it changes.
public enum MutationPolicy: String, Sendable, CaseIterable {
  /// Every active decision that can change is equally likely.
  case uniformDecision = "decision"
  /// A walk from the root that takes, at each level, one of the parts that hold a changeable decision, all equally
  /// likely; a decision with changeable decisions inside it counts as one part of its own level.
  ///
  /// NAS-Bench-201 written as node 1, 2 and 3 with 1, 2 and 3 incoming edges so changes an edge with probability
  /// 1/3, 1/6 and 1/9, as the published regularised evolution does (D-X-Y/AutoDL-Projects,
  /// `exps/NATS-algos/regularized_ea.py`).
  case branch
}

/// A search space: the set of architectures that a definition allows. An immutable value; copies share their content.
///
/// Everything drawn from it is a function of the space, the arguments and the generator's numbers alone.
public struct Space: Sendable {
  /// The version of the space JSON.
  public static let version = 1

  final class Content: Sendable {
    let name: String
    let root: SpaceNode
    let mutation: MutationPolicy
    let digest: String

    init(name: String, root: SpaceNode, mutation: MutationPolicy) {
      (self.name, self.root, self.mutation) = (name, root, mutation)
      digest = ContentDigest.of(Space.json(name: name, root: root, mutation: mutation))
    }
  }

  let content: Content

  /// For people; part of the space's JSON and identity.
  public var name: String { content.name }
  /// The definition in its normal form.
  public var root: SpaceNode { content.root }
  /// Which decisions a mutation draws.
  public var mutation: MutationPolicy { content.mutation }
  /// SHA-256 of the canonical JSON, 64 hexadecimal digits.
  public var digest: String { content.digest }

  /// Checks a definition and makes a space of it. The policy defaults to `.uniformDecision`.
  ///
  /// Throws a `recipe` fault that names the path of the first definition that can't be meant: a decision without
  /// options, two options that can give the same value, bounds the wrong way round, more to choose than there are
  /// options, an empty record, a key that can't be part of a path.
  public init(name: String, root: SpaceNode, mutation: MutationPolicy = .uniformDecision) throws {
    if root.isNested(deeperThan: DefinitionLimit.nesting) {
      throw Fault(
        .recipe, "the space is nested too deeply", path: "space", expected: "at most \(DefinitionLimit.nesting) levels")
    }
    content = Content(name: name, root: try root.checked(), mutation: mutation)
  }

  /// The canonical JSON: definition, name, policy and the version of this form.
  public var json: JSONValue { Self.json(name: name, root: root, mutation: mutation) }

  static func json(name: String, root: SpaceNode, mutation: MutationPolicy) -> JSONValue {
    ["version": .int(version), "name": .string(name), "mutation": .string(mutation.rawValue), "root": root.json]
  }

  /// Reads what `json` gave. Throws a `data` fault when it isn't a space of this version.
  public init(json: JSONValue) throws {
    let version = json["version"]?.int
    guard version == Self.version else {
      throw Fault(
        .data, "not a search space that this version reads", expected: "version \(Self.version)",
        got: json["version"]?.text() ?? "no version")
    }
    guard let name = json["name"]?.string, let root = json["root"],
      let policy = json["mutation"]?.string.flatMap(MutationPolicy.init)
    else {
      throw Fault(.data, "damaged search space", expected: "name, root and mutation")
    }
    try self.init(name: name, root: try SpaceNode(json: root), mutation: policy)
  }
}

extension Space: Hashable {
  /// Equal definitions, names and policies.
  public static func == (a: Space, b: Space) -> Bool { a.content === b.content || a.digest == b.digest }
  /// Hashes the digest.
  public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}
