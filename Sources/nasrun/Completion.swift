import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import LuaAPI
import LuaHost
import RunStore

/// What a shell offers for the words of a command line, where that depends on what there is.
enum Completion {
  /// The names of the runs and `last`; of the folder that `--runs` names, if it does.
  static func runs(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
    let path = value(of: "--runs", in: words) ?? "runs"
    let runs = (try? RunIndex.list(URL(filePath: path, directoryHint: .isDirectory))) ?? []
    return ["last"] + runs.reversed().map(\.id)
  }

  /// The settings of the recipe on the command line, with their defaults: `epochs=3`.
  static func settings(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
    guard let recipe = words.first(where: { $0.hasSuffix(".lua") }), let file = try? RecipeFile.locate(recipe),
      let settings = try? Self.settings(of: file)
    else { return [] }
    return settings.map { $0.name + "=" + ($0.value.string ?? $0.value.text()) }
  }

  /// The recipe's settings; it is run up to where it says them, as for `--help`.
  private static func settings(of file: URL) throws -> [(name: String, value: JSONValue)] {
    try LuaHost.onBigStack {
      var options = SessionOptions(recipe: try RecipeFile.read(file), runs: URL(filePath: "runs"))
      options.listsSettings = true
      options.secondsBetweenCalls = 2
      return try RecipeRunner(options, observer: SilentObserver()).run().settings.sorted { $0.key < $1.key }
        .map { (name: $0.key, value: $0.value) }
    }
  }

  /// What `nasrun api` knows, methods with a dot: a colon would end the word in bash.
  static func names(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
    (try? Reference.load().entries.map { $0.name.replacing(":", with: ".") }) ?? []
  }

  private static func value(of option: String, in words: [String]) -> String? {
    for (index, word) in words.enumerated() {
      if word == option, index + 1 < words.count { return words[index + 1] }
      if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
    }
    return nil
  }
}

extension CompletionKind {
  /// The runs there are.
  static var runs: CompletionKind { .custom(Completion.runs) }
}
