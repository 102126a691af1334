import ArgumentParser
import Foundation

/// Where runs are kept.
struct RunsOption: ParsableArguments {
  @Option(name: .customLong("runs"), help: ArgumentHelp("The folder that holds the runs.", valueName: "dir"))
  var path = "runs"

  var url: URL { URL(filePath: path, directoryHint: .isDirectory) }
}
