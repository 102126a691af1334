import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import NeuralNet
import RunStore

/// `nasrun show RUN`
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a run, or one of its trials: network, learning curves, metrics, error.",
    discussion: "Without --best, --arch or --trial it tells of the run: its searches, best trials, failures and files.")

  @Argument(
    help: ArgumentHelp("An id or its unique beginning, a name, a path, or 'last'.", valueName: "run"), completion: .runs
  )
  var runName: String
  @OptionGroup var choice: TrialChoice
  @Option(help: ArgumentHelp("Draw the trial's network (the best one's) as SVG, by Graphviz.", valueName: "file"))
  var svg: String?
  @Option(
    help: ArgumentHelp("Draw the trial's learning curves (the best one's) as SVG, by gnuplot.", valueName: "file"))
  var curves: String?
  @Flag(help: "Have the recipe build the network again when the run doesn't keep it; nothing is trained.")
  var rebuild = false
  @OptionGroup var runs: RunsOption
  @Flag(help: "Print JSON.") var json = false
  @Flag(help: "List every trial.") var trials = false
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    let report = try RunReport(Run.open(runName, in: runs.url))
    guard choice.isGiven || rebuild || svg != nil || curves != nil else {
      let text = report.text(listingTrials: trials)
      print(json ? report.json(listingTrials: trials).text(pretty: true) : Wording.printable(text))
      return
    }
    let (search, trial) = try choice.pick(from: report)
    let again = Retraining(run: report.run, trial: trial, execution: execution)
    let builder: (() throws -> Graph)? = rebuild ? { try again.graph() } : nil
    let one = try TrialReport(report.run, search, trial, rebuild: builder)
    print(json ? one.json.text(pretty: true) : Wording.printable(one.text))
    try draw(one)
  }

  private func draw(_ report: TrialReport) throws {
    if let svg {
      let title =
        "trial \(report.trial.number) of \(report.search.record.name): \(report.search.words(for: report.trial))"
      try FigureFile.draw(dot: NetworkDOT(report.drawnGraph(), title: title).text, to: URL(filePath: svg))
      Self.say(wrote: svg)
    }
    if let curves {
      guard let figure = report.curves.figure else {
        throw Fault(
          .usage, "trial \(report.trial.number) has no learning curve", expected: "a trial that reported its epochs",
          hint: "An evaluator reports them by trial:report(epoch, metrics).")
      }
      try FigureFile.plot(figure.script, data: figure.data, to: URL(filePath: curves))
      Self.say(wrote: curves)
    }
  }

  /// Beside the report, which may be read by a program.
  private static func say(wrote file: String) {
    fflush(nil)
    FileHandle.standardError.write(Data("wrote \(file)\n".utf8))
  }
}
