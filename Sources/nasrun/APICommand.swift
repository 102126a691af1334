import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import LuaAPI

/// `nasrun api`
struct APICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "api", abstract: "Say what a recipe can call: all names, or one in full.",
    discussion: """
      NAME is a function, a method, a class or the end of its name: 'nas.nn.conv2d', 'conv2d', 'space:random', 'Trial'. \
      Without one, everything is listed with its first sentence.
      """)

  @Argument(help: ArgumentHelp("A function, a method, a class or an area."), completion: .custom(Completion.names))
  var name: String?
  @Flag(help: "Print JSON.") var json = false
  @Option(
    help: ArgumentHelp("Write the whole reference as one HTML file that works offline.", valueName: "file"),
    completion: .file(extensions: ["html"]))
  var html: String?

  func validate() throws {
    if html != nil, name != nil || json { throw ValidationError("--html takes the whole reference.") }
  }

  func run() throws {
    let reference = try Reference.load(scripts: ProcessInfo.processInfo.environment["NASRUN_SCRIPTS"])
    if let html { return try write(reference, to: html) }
    guard let name else {
      return print(json ? reference.json.text(pretty: true) : reference.overview + Self.hint)
    }
    let found = try reference.entries(named: name)
    if json {
      print(JSONValue.object(["schema": 1, "entries": .array(found.map(\.json))]).text(pretty: true))
    } else {
      print(found.map { reference.text(of: $0) }.joined(separator: "\n\n\n"))
    }
  }

  private static let hint = "\n\n'nasrun api NAME' shows one in full, '--html FILE' makes a page of them all."

  private func write(_ reference: Reference, to path: String) throws {
    do {
      try Data(ReferencePage(reference).text.utf8).write(to: URL(filePath: path))
    } catch {
      throw Fault(.usage, "can't write the reference", at: path, hint: "Name a file in a folder that is there.")
    }
    print("Wrote \(path)")
  }
}
