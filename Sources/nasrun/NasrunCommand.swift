import ArgumentParser

@main
struct NasrunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nasrun", abstract: "Run neural-architecture-search experiments written in Lua.")
}
