import ArgumentParser
import Diagnostics
import Foundation
import LuaAPI

/// `nasrun new`
struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a first recipe, and what an editor needs to complete and check it.",
    discussion: """
      PLACE is a folder, which may be new, or the name of the recipe's file. Beside the recipe come .luarc.json and \
      .nasrun/meta/nas.lua, from which the Lua language server knows nasrun's functions. No file of yours is overwritten.
      """)

  @Argument(help: "A folder, or a file that ends in .lua.", completion: .directory) var place = ""
  @Option(
    help: ArgumentHelp("What the recipe shows: \(RecipeTemplate.names.joined(separator: ", ")).", valueName: "name"),
    completion: .list(RecipeTemplate.names))
  var template = "search"

  func run() throws {
    let recipe =
      place.hasSuffix(".lua")
      ? URL(filePath: place) : URL(filePath: (place as NSString).appendingPathComponent(template + ".lua"))
    let text = try RecipeTemplate.text(named: template, file: recipe.lastPathComponent)
    let folder = recipe.deletingLastPathComponent()
    if FileManager.default.fileExists(atPath: recipe.path(percentEncoded: false)) {
      throw Fault(
        .usage, "there is a file of this name already", at: recipe.relativePath,
        hint: "Name another: nasrun new NAME.lua.")
    }
    let files = [
      NewFile(recipe, text), NewFile(folder.appending(path: ".luarc.json"), EditorSettings.text),
      NewFile(
        folder.appending(path: ".nasrun/meta/nas.lua"), EditorFile(try Reference.load()).text, renews: EditorFile.mark),
    ]
    for file in files { print(try file.write()) }
    print("\nRun it:  nasrun \(Wording.shell(recipe.relativePath))\nLook up what it calls:  nasrun api nas.search")
  }
}

/// The recipes that `nasrun new` starts from: the library's `nas/templates`.
private enum RecipeTemplate {
  private static let folder = "nas.templates."
  static let names = LibraryText.names.filter { $0.hasPrefix(folder) }.map { String($0.dropFirst(folder.count)) }

  /// The text of a template, which speaks of itself by its file's name.
  static func text(named name: String, file: String) throws -> String {
    guard let text = LibraryText.text(of: folder + name) else {
      throw Fault(.usage, "there is no template '\(name)'", hint: Suggestion.hint(for: name, among: names))
    }
    return text.replacing("nasrun \(name).lua", with: "nasrun \(file)")
  }
}

/// A file to be written where there is none.
private struct NewFile {
  private let url: URL
  private let text: String
  /// With which a file begins that may be replaced.
  private let mark: String?

  init(_ url: URL, _ text: String, renews mark: String? = nil) { (self.url, self.text, self.mark) = (url, text, mark) }

  /// Its path from here, without `./`.
  private var shown: String {
    let path = url.relativePath
    return path.hasPrefix("./") ? String(path.dropFirst(2)) : path
  }

  /// Writes it and says so; one that is there is left, and that is said.
  func write() throws -> String {
    let path = url.path(percentEncoded: false), files = FileManager.default
    if files.fileExists(atPath: path) {
      let old = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
      guard let mark, old.hasPrefix(mark) else { return "kept     \(shown), which was there already" }
      if old == text { return "kept     \(shown), which is up to date" }
    }
    do {
      try files.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url, options: .atomic)
    } catch {
      throw Fault(
        .usage, "can't write the file", at: url.relativePath, hint: "Name a place in a folder that you may write.",
        cause: SystemError.words(for: error))
    }
    return "wrote    \(shown)"
  }
}

/// `.luarc.json`: the settings of the Lua language server for recipes.
private enum EditorSettings {
  static let text = """
    {
      "$schema": "https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json",
      "runtime": {
        "version": "Lua 5.4",
        "builtin": { "io": "disable", "os": "disable", "debug": "disable", "package": "disable" }
      },
      "workspace": { "library": [".nasrun/meta"], "checkThirdParty": false }
    }

    """
}
