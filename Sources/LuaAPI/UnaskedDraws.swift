import Diagnostics

/// Ends a strategy that draws architectures for ever and asks for no trial: neither a stop rule nor a limit on time
/// between calls would.
final class UnaskedDraws {
  /// More than any ranking of a sample by a predictor draws; some ten seconds.
  private static let most = 1_000_000
  private var count = 0

  /// Something was asked for: a trial, or another effect.
  func restart() { count = 0 }

  /// Counts an architecture that a search's space gives. Throws a `recipe` fault when there were too many in a row.
  func add() throws {
    count += 1
    guard count <= Self.most else {
      throw Fault(
        .recipe, "\(Self.most) architectures were drawn in a row and none was evaluated",
        expected: "search:evaluate(arch), or another way to ask for a trial, now and then",
        hint: "Does a loop of the strategy never end?")
    }
  }
}
