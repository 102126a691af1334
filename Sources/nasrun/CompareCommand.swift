import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import RunStore

/// `nasrun compare RUN…`
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "Set runs side by side: what differs, best, median, cost, and their courses.",
    discussion: "Runs of one recipe with the same settings and other seeds are one row: mean ± standard deviation.")

  @Argument(
    help: ArgumentHelp("Two or more: ids or their unique beginnings, names, paths, or 'last'.", valueName: "run"),
    completion: .runs)
  var runNames: [String]
  @Option(help: ArgumentHelp("Plot the courses over: trials or seconds.", valueName: "axis")) var over = "trials"
  @Option(help: ArgumentHelp("Draw the courses as SVG, by gnuplot.", valueName: "file")) var svg: String?
  @OptionGroup var runs: RunsOption
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard let axis = Comparison.Axis(rawValue: over) else {
      throw Fault(
        .usage, "wrong value of --over", expected: "trials or seconds", got: "'\(over)'",
        hint: Suggestion.nearest(to: over, among: ["trials", "seconds"]).map { "Did you mean '\($0)'?" })
    }
    var folders: [URL] = []
    for folder in try runNames.flatMap({ try found($0) }) where !folders.contains(folder) { folders.append(folder) }
    guard folders.count > 1 else {
      throw Fault(
        .usage, "there is nothing to compare with", expected: "two runs or more", got: "one",
        hint: "'nasrun show' tells of one run; 'nasrun ls' lists them.")
    }
    let comparison = try Comparison(folders.map { try RunReport(Run.open($0)) }, over: axis)
    print(json ? comparison.json.text(pretty: true) : Wording.printable(comparison.text))
    if let svg { try FigureFile.plot(comparison.figure.script, data: comparison.figure.data, to: URL(filePath: svg)) }
  }

  /// The run of a name; all of them where several runs have that name.
  private func found(_ text: String) throws -> [URL] {
    let named = try RunIndex.list(runs.url).filter { $0.name == text && $0.problem == nil }
    return named.count > 1 ? named.map { runs.url.appending(path: $0.id) } : [try RunIndex.find(text, in: runs.url)]
  }
}
