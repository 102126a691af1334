import ArgumentParser
import Diagnostics
import Foundation
import RunStore

/// Which trial of a run a command is about.
struct TrialChoice: ParsableArguments {
  @Flag(help: "The best trial by the primary objective (the default of export).") var best = false
  @Option(help: ArgumentHelp("The trial of the architecture with this id, or its unique beginning.", valueName: "id"))
  var arch: String?
  @Option(help: ArgumentHelp("The trial of this number.", valueName: "n")) var trial: Int?
  @Option(help: ArgumentHelp("In this search; the last one with a result by default.", valueName: "name"))
  var search: String?

  func validate() throws {
    if [best, arch != nil, trial != nil].count(where: { $0 }) > 1 {
      throw ValidationError("--best, --arch and --trial exclude each other.")
    }
  }

  /// Whether one trial was asked for.
  var isGiven: Bool { best || arch != nil || trial != nil }

  /// The search and the trial that the options name. Throws a `usage` fault that says what there is.
  func pick(from report: RunReport) throws -> (search: RunReport.Search, trial: TrialRecord) {
    let search = try pickSearch(from: report)
    if let trial { return (search, try Self.trial(trial, in: search)) }
    if let arch { return (search, try Self.trial(ofArchitecture: arch, in: search)) }
    guard let best = search.best else {
      let failed = search.trials.count { $0.status == .failed }
      throw Fault(
        .usage, "the search \(search.record.name) has no finished trial", got: "\(failed) failed",
        hint: "'nasrun show \(report.run.folder.lastPathComponent)' shows why.")
    }
    return (search, best)
  }

  private func pickSearch(from report: RunReport) throws -> RunReport.Search {
    guard let last = report.searches.last else {
      throw Fault(
        .usage, "the run \(report.run.folder.lastPathComponent) has no search, and so no trial",
        hint: "Networks that its recipe saved are in its folder models/.")
    }
    let names = report.searches.map(\.record.name)
    guard let search else { return report.searches.last { $0.best != nil } ?? last }
    guard let found = report.searches.first(where: { $0.record.name == search }) else {
      throw Fault(
        .usage, "the run has no search '\(search)'", hint: Suggestion.hint(for: search, among: names))
    }
    return found
  }

  private static func trial(_ number: Int, in search: RunReport.Search) throws -> TrialRecord {
    guard let trial = search.trials.first(where: { $0.number == number }) else {
      let numbers = search.trials.map(\.number)
      throw Fault(
        .usage, "the search \(search.record.name) has no trial \(number)",
        expected: numbers.isEmpty ? nil : "a number from \(numbers.min() ?? 1) to \(numbers.max() ?? 1)",
        hint: "--search names another search.")
    }
    return trial
  }

  /// The best finished trial of the architecture, or else its last.
  private static func trial(ofArchitecture id: String, in search: RunReport.Search) throws -> TrialRecord {
    let plain = id.hasPrefix("a1-") ? id : "a1-" + id
    let matching = search.trials.filter { $0.architecture.hasPrefix(id) || $0.architecture.hasPrefix(plain) }
    let ids = Set(matching.map(\.architecture))
    guard ids.count == 1, !id.isEmpty else {
      let some = ids.sorted().prefix(4).joined(separator: ", ")
      throw Fault(
        .usage,
        ids.isEmpty
          ? "no architecture of the search \(search.record.name) begins with '\(id)'"
          : "'\(id)' names \(ids.count) architectures",
        got: ids.isEmpty ? nil : some, hint: "'nasrun show RUN --trials' lists them.")
    }
    return search.ranked(matching).first ?? matching[matching.count - 1]
  }
}
