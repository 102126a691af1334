import Canonical

/// The one object that stands for each architecture in use, so that equal architectures are the same object to a
/// script and can be keys of its tables.
///
/// Objects are held weakly: an entry goes when nobody holds its object any more.
public final class ArchitectureTable {
  /// An architecture with an identity. Its id is computed once.
  public final class Entry: Sendable {
    /// The architecture that this object stands for.
    public let architecture: Architecture
    /// The architecture's id.
    public let id: String
    /// The values, computed once, as a build sees them.
    public let values: JSONValue

    init(_ architecture: Architecture) {
      self.architecture = architecture
      values = architecture.values
      id = Architecture.id(of: values)
    }
  }

  private struct Reference { weak var entry: Entry? }

  private var references: [Architecture: Reference] = [:]
  private var sweepAt = 1024

  /// Makes an empty table. It is not for use from several threads at once.
  public init() {}

  /// The entry of this architecture: the same object for equal architectures as long as somebody holds it.
  public func entry(for architecture: Architecture) -> Entry {
    if let entry = references[architecture]?.entry { return entry }
    if references.count >= sweepAt {
      references = references.filter { $0.value.entry != nil }
      sweepAt = max(1024, 2 * references.count)
    }
    let entry = Entry(architecture)
    references[architecture] = Reference(entry: entry)
    return entry
  }

  /// How many architectures are in use.
  public var count: Int { references.values.count { $0.entry != nil } }
}
