import Canonical
import Foundation
import RunStore
import SearchCore

/// Runs side by side: those of one recipe with the same settings are one group, whatever their seeds.
struct Comparison {
  /// Runs that differ in nothing but the seed.
  struct Group {
    /// `a`, `b`, ….
    let label: String
    let reports: [RunReport]
    /// What differs between the groups, by name.
    let settings: [String: JSONValue]

    var runs: [Run] { reports.map(\.run) }
    var seeds: [UInt64] { runs.map(\.identity.seed) }
  }

  /// In the order in which their first runs were named.
  let groups: [Group]
  /// The names of what differs, in ascending order.
  let differing: [String]
  /// The searches of all runs, in the order they are met.
  let searches: [ComparedSearch]
  let axis: Axis

  /// What a search's course is plotted against.
  enum Axis: String, CaseIterable {
    /// The trials' numbers.
    case trials
    /// The seconds that the trials cost.
    case seconds
  }

  init(_ reports: [RunReport], over axis: Axis) throws {
    let identities = try reports.map { try Self.settings(of: $0.run) }
    let names = Set(identities.flatMap(\.keys))
    differing = names.filter { name in Set(identities.map { $0[name] ?? .null }).count > 1 }.sorted()
    let differing = differing
    let groups = Self.group(reports, by: identities.map { identity in differing.map { identity[$0] ?? .null } })
      .enumerated().map { number, members in
        Group(
          label: Self.label(number), reports: members.reports,
          settings: Dictionary(zip(differing, members.key)) { first, _ in first })
      }
    self.groups = groups
    var met: [String] = []
    for name in reports.flatMap({ $0.searches.map(\.record.name) }) where !met.contains(name) { met.append(name) }
    searches = met.map { ComparedSearch($0, in: groups, over: axis) }
    self.axis = axis
  }

  /// The reports with equal keys together, in the order of the first of each.
  private static func group(
    _ reports: [RunReport], by keys: [[JSONValue]]
  ) -> [(key: [JSONValue], reports: [RunReport])] {
    var groups: [(key: [JSONValue], reports: [RunReport])] = []
    for (key, report) in zip(keys, reports) {
      if let known = groups.firstIndex(where: { $0.key == key }) {
        groups[known].reports.append(report)
      } else {
        groups.append((key, [report]))
      }
    }
    return groups
  }

  /// `a` to `z`, then `a2`, ….
  private static func label(_ number: Int) -> String {
    let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(number % 26)))
    return number < 26 ? letter : letter + String(number / 26 + 1)
  }

  /// Everything that may tell a run from another but for its seed: arguments, recipe, and what it ran on.
  private static func settings(of run: Run) throws -> [String: JSONValue] {
    let identity = run.identity
    var settings = identity.arguments.object ?? [:]
    settings["(recipe)"] = .string(identity.recipe)
    settings["(recipe text)"] = .string(String(try run.sourcesDigest().prefix(8)))
    for name in ["numerics", "nasrun"] {
      settings["(\(name))"] = identity.environment[name] ?? .null
    }
    return settings
  }
}

/// One search of the runs of a comparison.
struct ComparedSearch {
  /// The search in the runs of one group.
  struct Row {
    let group: Comparison.Group
    /// Of each run: the best and the median value of the primary objective among its trials that succeeded within the
    /// constraints.
    let best: Spread, median: Spread
    let trials: Spread, failed: Spread
    /// Seconds at work of the run, and what the search's trials cost.
    let time: Spread, cost: Spread
    let curve: BestSoFar
  }

  let name: String
  /// The primary objective in the first run that has the search.
  let objective: Objective
  /// The groups that have the search.
  let rows: [Row]

  init(_ name: String, in groups: [Comparison.Group], over axis: Comparison.Axis) {
    let searches = groups.map { group in
      group.reports.compactMap { report in
        report.searches.first { $0.record.name == name }.map { (report.run, $0) }
      }
    }
    let primary = searches.joined().lazy.compactMap { $0.1.record.objectives.first }.first
    let objective = primary ?? Objective("value", .max)
    self.name = name
    self.objective = objective
    rows = zip(groups, searches).compactMap { group, runs in
      runs.isEmpty ? nil : Row(group, runs.map(\.1), times: runs.map(\.0.activeSeconds), objective, over: axis)
    }
  }
}

extension ComparedSearch.Row {
  init(
    _ group: Comparison.Group, _ searches: [RunReport.Search], times: [Double], _ objective: Objective,
    over axis: Comparison.Axis
  ) {
    func values(_ search: RunReport.Search) -> [Double] {
      search.trials.filter(\.isFeasible).compactMap { $0.metric(objective.name) }.filter(\.isFinite)
    }
    func count(_ search: RunReport.Search, _ status: [TrialStatus]) -> Double {
      Double(search.trials.count { status.contains($0.status) })
    }
    self.group = group
    let finite = searches.map(values).filter { !$0.isEmpty }
    best = Spread(finite.map { (objective.direction == .max ? $0.max() : $0.min()) ?? .nan })
    median = Spread(finite.map(Spread.median))
    trials = Spread(searches.map { count($0, [.ok, .failed]) })
    failed = Spread(searches.map { count($0, [.failed]) })
    time = Spread(times)
    cost = Spread(searches.map { $0.trials.reduce(0) { $0 + $1.cost } })
    curve = BestSoFar(searches.map(\.trials), objective, over: axis)
  }
}

extension TrialRecord {
  /// Seconds that it took; 0 while it runs.
  var cost: Double { finished.map { $0 - started } ?? 0 }
}
