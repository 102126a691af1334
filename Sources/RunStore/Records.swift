import Canonical
import SearchCore

/// An effect as the journal keeps it: a call whose result costs time or isn't a pure function of the recipe.
///
/// An effect is found by content: its kind, the digest of everything its exact result depends on, and how many
/// effects with that same key came before it in the run.
public struct EffectRecord: Sendable, Equatable {
  /// What was called: `train`, `latency`, `clock`, ….
  public var kind: String
  /// The digest of everything that the exact result depends on.
  public var key: String
  /// How many effects of this kind and key the run asked for before this one; 0 for the first.
  public var occurrence: Int
  /// The result that anyone with the same numerics gets again, bit for bit.
  public var exact: JSONValue
  /// What was seen this once: times, finishing order, energy. `null` when there is nothing of the kind.
  public var observed: JSONValue
  /// The search that asked, or nil outside a search.
  public var search: String?
  /// A few words for people: `trial 17, 3 epochs`.
  public var label: String
  /// Seconds of work that the effect cost; a reused effect keeps the cost of the first time.
  public var activeSeconds: Double
  /// Whether the result was taken from the parent run.
  public var reused: Bool

  public init(
    kind: String, key: String, occurrence: Int = 0, exact: JSONValue, observed: JSONValue = .null,
    search: String? = nil, label: String = "", activeSeconds: Double = 0, reused: Bool = false
  ) {
    self.kind = kind
    self.key = key
    self.occurrence = occurrence
    self.exact = exact
    self.observed = observed
    self.search = search
    self.label = label
    self.activeSeconds = activeSeconds
    self.reused = reused
  }
}

extension EffectRecord {
  /// The kind of the observed fact that a trial reached a limit of time or memory. It is no part of the exact journal.
  public static let limitKind = "limit"
  /// What the observed metric of such a trial begins with: `over_seconds`, `over_memory_mb`, with the limit as its value.
  public static let limitMetric = "over_"
}

/// Something a search decided that is cheap to decide again, such as the architecture it asked for at a request.
///
/// A resumed run decides again and is checked against the record.
public struct DecisionRecord: Sendable, Equatable {
  /// The search that decided.
  public var search: String
  /// What was decided: `ask`, `stop`, ….
  public var kind: String
  /// The number of the request within the search and the kind, from 0.
  public var request: Int
  /// The decision. It must not hold times or anything else that differs between two equal runs.
  public var value: JSONValue

  public init(search: String, kind: String, request: Int, value: JSONValue) {
    self.search = search
    self.kind = kind
    self.request = request
    self.value = value
  }
}

/// One number that a trial reported.
public struct MetricRecord: Sendable, Equatable {
  /// The metric's name, with its unit where it isn't plain: `accuracy` (per cent), `latency_ms`.
  public var name: String
  /// The epoch after which it was reported, from 1; nil for the trial's final value.
  public var epoch: Int?
  /// The value; NaN and infinities are kept. Two NaN are the same value here.
  public var value: Double
  /// Whether it is repeated bit for bit by an equal run (false for measured times).
  public var exact: Bool

  public init(_ name: String, _ value: Double, epoch: Int? = nil, exact: Bool = true) {
    self.name = name
    self.epoch = epoch
    self.value = value + 0  // SQLite has no negative zero
    self.exact = exact
  }

  public static func == (a: MetricRecord, b: MetricRecord) -> Bool {
    a.name == b.name && a.epoch == b.epoch && a.exact == b.exact
      && (a.value == b.value || a.value.isNaN && b.value.isNaN)
  }
}

/// How a trial stands.
public enum TrialStatus: String, Sendable, CaseIterable {
  case running, ok, failed
}

/// One architecture evaluated at one budget.
public struct TrialRecord: Sendable, Equatable {
  /// The search it belongs to.
  public var search: String
  /// Its number within the search, from 1.
  public var number: Int
  /// The architecture's id: the digest of its canonical decisions.
  public var architecture: String
  /// The architecture's decisions.
  public var decisions: JSONValue
  /// What it was allowed to cost: `{"epochs":3}`.
  public var budget: JSONValue
  /// How many trials of this architecture at this budget came before it.
  public var repetition: Int
  public var status: TrialStatus
  /// Why it failed; nil unless `status` is `failed`.
  public var failure: String?
  /// The recipe line that failed, as `file:line`.
  public var failedAt: String?
  /// Active seconds of the run when the trial started.
  public var started: Double
  /// Active seconds of the run when it ended; nil while running.
  public var finished: Double?
  public var metrics: [MetricRecord]

  public init(
    search: String, number: Int, architecture: String, decisions: JSONValue = .null, budget: JSONValue = .null,
    repetition: Int = 0, status: TrialStatus = .ok, failure: String? = nil, failedAt: String? = nil,
    started: Double = 0, finished: Double? = nil, metrics: [MetricRecord] = []
  ) {
    self.search = search
    self.number = number
    self.architecture = architecture
    self.decisions = decisions
    self.budget = budget
    self.repetition = repetition
    self.status = status
    self.failure = failure
    self.failedAt = failedAt
    self.started = started
    self.finished = finished
    self.metrics = metrics
  }

  /// Whether it succeeded and kept every constraint of its search: its final metric `violation` is 0 or not there.
  public var isFeasible: Bool { status == .ok && (metric("violation") ?? 0) <= 0 }

  /// The final value of a metric; nil when the trial didn't report it.
  public func metric(_ name: String) -> Double? {
    metrics.last { $0.name == name && $0.epoch == nil }?.value
  }
}

/// A search of a run: what it wants and how it ended.
public struct SearchRecord: Sendable, Equatable {
  /// Unique within the run.
  public var name: String
  /// In order of importance; the first is the primary one.
  public var objectives: [Objective]
  /// The number of trials its stop rules allow; nil when they don't say.
  public var planned: Int?
  /// Why it stopped; nil while it hasn't.
  public var stopReason: String?
  /// What else is worth keeping: the space's digest, its size, the strategy's name and options.
  public var details: JSONValue

  public init(
    name: String, objectives: [Objective], planned: Int? = nil, stopReason: String? = nil, details: JSONValue = .null
  ) {
    self.name = name
    self.objectives = objectives
    self.planned = planned
    self.stopReason = stopReason
    self.details = details
  }
}

/// Something worth telling: a printed line, a warning, a resume.
public struct EventRecord: Sendable, Equatable {
  /// Seconds since 1970.
  public var time: Double
  /// `print`, `warning`, `resumed`, ….
  public var kind: String
  public var text: String

  public init(time: Double, kind: String, text: String) {
    self.time = time
    self.kind = kind
    self.text = text
  }
}
