import Diagnostics
import Foundation

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

  /// A hint at the recipe in the same folder whose name is nearest.
  private static func similarFile(to text: String) -> String? {
    let url = URL(filePath: text)
    let folder = url.deletingLastPathComponent()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    let recipes = names.filter { $0.hasSuffix(".lua") }
    return Suggestion.nearest(to: url.lastPathComponent, among: recipes).map { "Did you mean '\($0)'?" }
  }
}
