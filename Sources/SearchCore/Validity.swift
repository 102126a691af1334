import Diagnostics

/// A recipe's `valid`: a test that members of a space must pass, with a count of those that did not.
///
/// Sampling draws again until a member passes, at most `tryLimit` times in a row.
public final class Validity {
  /// Default 1000.
  public let tryLimit: Int
  /// How many architectures were rejected so far.
  public private(set) var rejections = 0
  private let test: (Architecture) throws -> Bool

  /// Wraps a test; it is called once for each architecture drawn.
  public init(tryLimit: Int = 1000, _ test: @escaping (Architecture) throws -> Bool) {
    self.tryLimit = max(1, tryLimit)
    self.test = test
  }

  /// Whether the architecture passes; a rejection is counted. Throws what the test throws.
  public func accepts(_ architecture: Architecture) throws -> Bool {
    if try test(architecture) { return true }
    rejections += 1
    return false
  }

  /// Throws a `recipe` fault when the architecture doesn't pass.
  public func require(_ architecture: Architecture) throws {
    if try !accepts(architecture) {
      throw Fault(.recipe, "`valid` rejects this architecture", path: "space", got: architecture.canonicalText)
    }
  }
}

extension Space {
  /// Draws until `validity` accepts. Throws a `recipe` fault after `tryLimit` rejections in a row.
  func accepted(by validity: Validity?, _ operation: String, _ draw: () throws -> Choice) throws -> Architecture {
    guard let validity else { return Architecture(space: self, choice: try draw()) }
    for _ in 0..<validity.tryLimit {
      let architecture = Architecture(space: self, choice: try draw())
      if try validity.accepts(architecture) { return architecture }
    }
    throw Fault(
      .recipe, "\(operation) found no valid architecture in \(validity.tryLimit) tries", path: "space",
      hint: "Make `valid` less strict, or narrow the space so that more of it is valid.")
  }
}
