import ArgumentParser
import Diagnostics
import Foundation
import LuaAPI
import RunStore

/// `nasrun resume RUN`: goes on with an unfinished run, from its stored text.
struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Go on with an unfinished run.",
    discussion: "Finished trials come from the run's journal; the rest is computed, and the record ends the same.")

  @Argument(
    help: ArgumentHelp("The run: an id, the beginning of one, a name, a path, or 'last'.", valueName: "run"),
    completion: .runs)
  var runName: String
  @OptionGroup var runs: RunsOption
  /// Not an option, but what many try.
  @Option(name: .customLong("set"), parsing: .upToNextOption, help: .hidden) var settings: [String] = []
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    try refuseSettings()
    let stored = try Run.open(runName, in: runs.url, writing: true)
    let identity = stored.identity
    var options = try SessionOptions(resuming: stored, runs: runs.url)
    try execution.apply(to: &options)
    let original = URL(filePath: identity.recipeFolder).appending(path: identity.recipe)
    if !execution.quiet, let now = try? String(contentsOf: original, encoding: .utf8), now != options.recipe.text {
      let note = "\(identity.recipe) has changed since; the run goes on with the text that it was started with\n"
      FileHandle.standardError.write(Data(note.utf8))
    }
    _ = try Execution(options, execution).run()
  }

  private func refuseSettings() throws {
    guard !settings.isEmpty else { return }
    let run = try Run.open(runName, in: runs.url)
    let recipe = URL(filePath: run.identity.recipeFolder).appending(path: run.identity.recipe)
    let words = settings.map(Wording.shell).joined(separator: " ")
    throw Fault(
      .usage, "the settings of a run are fixed", got: "--set \(words)",
      hint: "Start another that takes its results where they still hold: "
        + "nasrun \(Wording.shell(recipe.path(percentEncoded: false))) --reuse \(run.folder.lastPathComponent) "
        + "--set \(words).")
  }
}
