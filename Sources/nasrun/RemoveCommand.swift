import ArgumentParser
import Diagnostics
import Foundation
import RunStore

/// `nasrun rm RUN…`
struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove runs for good: record, models, everything in their folders.")

  @Argument(
    help: ArgumentHelp("Ids or their unique beginnings, names, paths, or 'last'.", valueName: "run"), completion: .runs)
  var runNames: [String]
  @Flag(name: .shortAndLong, help: "Don't ask.") var yes = false
  @OptionGroup var runs: RunsOption

  func run() throws {
    // All of them are found before one is removed: 'last' is the same for each.
    var folders: [URL] = []
    for folder in try runNames.map({ try RunIndex.find($0, in: runs.url) }) where !folders.contains(folder) {
      folders.append(folder)
    }
    for folder in folders { try Run.checkRemovable(folder) }
    guard try yes || isConfirmed(folders) else { return print("Nothing was removed.") }
    for folder in folders {
      try Run.remove(folder)
      print("removed \(folder.lastPathComponent)")
    }
  }

  /// Asks on the terminal.
  private func isConfirmed(_ folders: [URL]) throws -> Bool {
    guard isatty(STDIN_FILENO) == 1 else {
      throw Fault(
        .usage, "rm asks before it removes a run, and there is no terminal", hint: "Pass -y to remove without.")
    }
    let known = Dictionary(try RunIndex.list(runs.url).map { ($0.id, $0) }) { first, _ in first }
    for folder in folders {
      let id = folder.lastPathComponent
      print("  \(id)  " + (known[id].map { "\($0.trials) trials, \($0.status.rawValue)" } ?? ""))
    }
    print("Remove \(folders.count == 1 ? "this run" : "these \(folders.count) runs") for good? [y/N] ", terminator: "")
    fflush(nil)
    return ["y", "yes"].contains(readLine()?.trimmingCharacters(in: .whitespaces).lowercased())
  }
}
