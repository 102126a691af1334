import TensorCore

/// Where a plan's random numbers come from: a seed and the name of a stream. Each node that needs some draws its own
/// key from the stream `<name>/<path>`.
public struct RandomSource: Hashable, Sendable {
  public let seed: UInt64
  public let name: String

  public init(seed: UInt64, name: String) {
    self.seed = seed
    self.name = name
  }

  /// The stream of one consumer.
  func stream(_ path: String) -> RandomStream { RandomStream(seed: seed, name: "\(name)/\(path)") }

  func key(for path: String) -> UInt64 {
    var stream = stream(path)
    return stream.next()
  }
}
