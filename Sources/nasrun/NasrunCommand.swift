import ArgumentParser
import Diagnostics
import Foundation
import LuaAPI

/// The command line: `nasrun <command> …`.
struct NasrunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nasrun", abstract: "Run neural-architecture-search experiments written in Lua.",
    usage: """
      nasrun <recipe.lua> [--set <name=value> ...] [<options>]
      nasrun <subcommand> [<options>]
      """,
    discussion: "'nasrun help run' shows the options of a run, 'nasrun <recipe.lua> --help' the settings of a recipe.",
    version: nasrunVersion,
    subcommands: [
      RunCommand.self, ResumeCommand.self, ListCommand.self, ShowCommand.self, TagCommand.self, NoteCommand.self,
      StarCommand.self, RemoveCommand.self, ExportCommand.self, CompareCommand.self,
      OpsCommand.self, TestCommand.self, APICommand.self, NewCommand.self, CompletionCommand.self, DoctorCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  /// The names of all commands, for suggestions.
  static var commandNames: [String] { configuration.subcommands.map { $0._commandName } }
}

@main enum Main {
  /// Parses and runs the command; a fault is told on standard error and decides the exit status.
  static func main() {
    do {
      var command = try NasrunCommand.parseAsRoot()
      try command.run()
    } catch let fault as Fault {
      FileHandle.standardError.write(Data("nasrun: \(fault)\n".utf8))
      exit(fault.code.exitStatus)
    } catch {
      NasrunCommand.exit(withError: error)
    }
  }
}
