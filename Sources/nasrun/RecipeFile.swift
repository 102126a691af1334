import Diagnostics
import Foundation
import RunStore

/// The recipe named on the command line.
package enum RecipeFile {
  /// The file that `text` names.
  ///
  /// Any first word that isn't a command is taken for a recipe, so a misspelled command ends here too: a word that is
  /// neither throws a `usage` fault with a suggestion.
  package static func locate(_ text: String) throws -> URL {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: text, isDirectory: &isFolder)
    if exists, !isFolder.boolValue { return URL(filePath: text) }
    if exists { throw Fault(.usage, "this is a folder", at: text, expected: "a recipe: a Lua file") }
    if text.contains("/") || text.hasSuffix(".lua") {
      throw Fault(.usage, "no such file: '\(text)'", hint: similarFile(to: text))
    }
    throw Fault(
      .usage, "no such file or command: '\(text)'",
      hint: Suggestion.nearest(to: text, among: NasrunCommand.commandNames).map { "Did you mean 'nasrun \($0)'?" }
        ?? similarFile(to: text) ?? "'nasrun --help' shows the commands.")
  }

  /// The recipe's text with the folder it is in, links resolved.
  static func read(_ file: URL) throws -> RecipeSource {
    let real = file.resolvingSymlinksInPath()
    guard let data = try? Data(contentsOf: real) else {
      throw Fault(.usage, "can't read the recipe", at: file.path(percentEncoded: false), hint: "Check its permissions.")
    }
    guard data.first != 0x1B else {
      throw Fault(
        .recipe, "\(file.lastPathComponent) is bytecode", expected: "Lua source text",
        hint: "Run the source file instead.")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      let line = 1 + data.prefix { $0 < 0x80 }.count { $0 == UInt8(ascii: "\n") }
      throw Fault(
        .recipe, "the text is not UTF-8", at: "\(file.lastPathComponent):\(line)",
        hint: "Save the file in the encoding UTF-8.")
    }
    return RecipeSource(
      file: real.lastPathComponent, folder: real.deletingLastPathComponent().path, text: text)
  }

  /// A hint at the recipe in the same folder whose name is nearest.
  private static func similarFile(to text: String) -> String? {
    let url = URL(filePath: text)
    let folder = url.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    let recipes = names.filter { $0.hasSuffix(".lua") }
    return Suggestion.nearest(to: url.lastPathComponent, among: recipes).map { "Did you mean '\($0)'?" }
  }
}
