import Foundation

/// Who shows a run at work. Called on the thread of the recipe.
public protocol RunObserver: AnyObject {
  /// A line that the recipe printed.
  func printed(_ line: String)
  /// Something the user should know, as a sentence.
  func noted(_ text: String)
  /// Where a search stands has changed.
  func progressed(_ progress: SearchState)
  /// A trial has ended.
  func finished(_ trial: TrialSummary, _ progress: SearchState)
}

/// Hears nothing, for recipes that are run to learn what they say of themselves.
public final class SilentObserver: RunObserver {
  public init() {}
  public func printed(_ line: String) {}
  public func noted(_ text: String) {}
  public func progressed(_ progress: SearchState) {}
  public func finished(_ trial: TrialSummary, _ progress: SearchState) {}
}

/// Where a search stands, for display.
public struct SearchState: Sendable, Equatable {
  public var search: String
  /// Trials that have ended.
  public var done = 0
  /// Trials that the stop rule allows; nil when it doesn't say.
  public var planned: Int?
  /// The primary objective and its best value so far.
  public var metric: String?
  public var best: Double?
  /// The trial at work, its epoch and its planned epochs.
  public var trial: Int?
  public var epoch: Int?
  public var epochs: Int?
  /// Active seconds of the run.
  public var elapsed = 0.0
  /// Seconds that the rest is likely to take; nil when nobody knows.
  public var remaining: Double?

  public init(search: String) { self.search = search }
}

/// A trial that has ended, for display.
public struct TrialSummary: Sendable {
  public var number: Int
  /// The primary objective; nil when it failed.
  public var value: Double?
  public var failure: String?
  /// The architecture and the other metrics.
  public var details: String
  public var seconds: Double
  /// True when it came from the journal.
  public var isReplayed: Bool

  public init(
    number: Int, value: Double? = nil, failure: String? = nil, details: String = "", seconds: Double,
    isReplayed: Bool = false
  ) {
    (self.number, self.value, self.failure) = (number, value, failure)
    (self.details, self.seconds, self.isReplayed) = (details, seconds, isReplayed)
  }
}
