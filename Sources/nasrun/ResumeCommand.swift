import ArgumentParser
import Canonical
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
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    let stored = try Run.open(runName, in: runs.url, writing: true)
    let identity = stored.identity
    let source = RecipeSource(file: identity.recipe, folder: identity.recipeFolder, text: try stored.recipeText())
    var options = SessionOptions(recipe: source, runs: runs.url)
    options.resuming = stored
    options.seed = identity.seed
    options.settings = (identity.arguments.object ?? [:]).sorted { $0.key < $1.key }.map { name, value in
      (name: name, value: value.string ?? value.text())
    }
    options.named = Set((identity.environment["named_settings"]?.array ?? []).compactMap(\.string))
    if let folder = identity.environment["folder"]?.string { options.workingFolder = folder }
    try execution.apply(to: &options)
    let original = URL(filePath: identity.recipeFolder).appending(path: identity.recipe)
    if !execution.quiet, let now = try? String(contentsOf: original, encoding: .utf8), now != source.text {
      let note = "\(identity.recipe) has changed since; the run goes on with the text that it was started with\n"
      FileHandle.standardError.write(Data(note.utf8))
    }
    _ = try Execution(options, execution).run()
  }
}
