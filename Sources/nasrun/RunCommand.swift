import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import LuaAPI
import RunStore
import TensorCore

/// `nasrun RECIPE`: a new run of a recipe.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a recipe (the word 'run' may be left out).",
    discussion: "'nasrun RECIPE --help' shows the settings of that recipe.", helpNames: [])

  @Argument(help: "The recipe: a Lua file.", completion: .file(extensions: ["lua"])) var recipe: String?
  @Option(
    name: .customLong("set"), parsing: .upToNextOption,
    help: ArgumentHelp("Change settings of the recipe.", valueName: "name=value"),
    completion: .custom(Completion.settings))
  var settings: [String] = []
  @Option(
    parsing: .unconditional, help: ArgumentHelp("The seed of all random streams.", valueName: "n"),
    transform: RunCommand.seed)
  var seed: UInt64 = 1
  @OptionGroup var runs: RunsOption
  @Option(help: "What to call the run; the recipe's name by default.") var name: String?
  @Option(
    help: ArgumentHelp("Take every result that is still asked for from this run.", valueName: "run"), completion: .runs)
  var reuse: String?
  @OptionGroup var execution: ExecutionOptions
  @Flag(name: [.short, .long], help: "Show this help, or the settings of the recipe.") var help = false

  func run() throws {
    guard let recipe else { throw CleanExit.helpRequest(NasrunCommand.self) }
    let file = try RecipeFile.locate(recipe)
    var options = SessionOptions(recipe: try RecipeFile.read(file), runs: runs.url)
    options.settings = try settings.map(RecipeArguments.split)
    options.seed = seed
    if let name, name.isEmpty || name == "last" {
      throw Fault(
        .usage, "a run can't have the name '\(name)'", expected: "a name that commands can be given",
        hint: name.isEmpty ? nil : "It stands for the newest run.")
    }
    options.name = name
    options.listsSettings = help
    options.parent = try reuse.map { try Run.open($0, in: runs.url) }
    try execution.apply(to: &options)
    let outcome = try Execution(options, execution).run()
    if help { Self.showSettings(outcome.settings, of: recipe) }
  }

  private static func seed(_ text: String) throws -> UInt64 {
    guard let seed = UInt64(text) else {
      throw Fault(.usage, "wrong seed", expected: "a whole number from 0 to \(UInt64.max)", got: "'\(text)'")
    }
    return seed
  }

  private static func showSettings(_ settings: [String: JSONValue], of recipe: String) {
    print("USAGE: nasrun \(recipe) [--set <name=value> ...] [--seed <n>] [options]\n")
    print(settings.isEmpty ? "The recipe has no settings." : "SETTINGS of the recipe, with their defaults:")
    let width = settings.keys.map(\.count).max() ?? 0
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
      print("  " + name.padding(toLength: width, withPad: " ", startingAt: 0) + " = " + value.text())
    }
    print("\n'nasrun --help' shows the options.")
  }
}
