import Canonical

/// Some images of a set, in a defined order: what an experiment trains on, validates on or tests on.
public struct ImageSelection: Sendable {
  /// The set that holds the images; shared, not copied.
  public let set: ImageSet
  /// Positions in `set`, ascending, each once.
  public let indices: [Int32]
  /// SHA-256 of the set's content and the positions.
  public let digest: String

  init(_ set: ImageSet, indices: [Int32]) {
    self.set = set
    self.indices = indices
    let digest = ContentDigest()
    digest.update(set.digest)
    indices.map(\.littleEndian).withUnsafeBytes { digest.update(bytes: $0) }
    self.digest = digest.finish()
  }

  /// All images of a set.
  public init(_ set: ImageSet) {
    self.init(set, indices: Array(0..<Int32(set.count)))
  }

  /// The number of images.
  public var count: Int { indices.count }

  /// The target of one of the rows of a regression, by its place in the selection; NaN for classes.
  public func target(_ place: Int) -> Double { Double(set.table?.targets?[Int(indices[place])] ?? .nan) }

  /// The number of images of each class of the set.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: set.classNames.count)
    for index in indices { counts[Int(set.labels[Int(index)])] += 1 }
    return counts
  }
}
