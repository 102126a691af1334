import ArgumentParser
import Canonical
import RunStore

/// `nasrun show RUN`
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a run: its searches, best trials, failures and files.")

  @Argument(
    help: ArgumentHelp("An id or its unique beginning, a name, a path, or 'last'.", valueName: "run"), completion: .runs
  )
  var runName: String
  @OptionGroup var runs: RunsOption
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "List every trial.") var trials = false

  func run() throws {
    let report = try RunReport(Run.open(runName, in: runs.url))
    print(json ? report.json(listingTrials: trials).text(pretty: true) : report.text(listingTrials: trials))
  }
}
