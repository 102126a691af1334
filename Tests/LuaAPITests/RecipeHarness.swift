import Canonical
import Diagnostics
import Foundation
import LuaAPI
import LuaHost
import RunStore

/// Runs a recipe in this process, in a folder of its own that is removed afterwards.
struct RecipeHarness {
  /// What came of it.
  struct Result: Sendable {
    var printed: [String] = []
    var notes: [String] = []
    var fault: Fault?
    var exactJournal: String?
    var declarations: [Declaration] = []
  }

  var settings: [(name: String, value: String)] = []
  var seed: UInt64 = 1
  var threads = 1

  /// Runs the text to its end, on a thread with a large stack; `body` gets each printed line while the run's files are
  /// still there.
  func run(_ text: String, forEachLine body: (String) throws -> Void = { _ in }) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "nasrun-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var options = SessionOptions(
      recipe: RecipeSource(file: "recipe.lua", folder: folder.path(percentEncoded: false), text: text),
      runs: folder.appending(path: "runs"))
    options.settings = settings
    options.seed = seed
    options.threads = threads
    options.secondsBetweenCalls = 5
    let job = RecipeJob(options)
    let result = try LuaHost.onBigStack { try job.run() }
    for line in result.printed { try body(line) }
    return result
  }
}

/// The recipe's run; used on one thread only.
private final class RecipeJob: RunObserver, @unchecked Sendable {
  private let options: SessionOptions
  private var result = RecipeHarness.Result()

  init(_ options: SessionOptions) { self.options = options }

  func run() throws -> RecipeHarness.Result {
    let runner = try RecipeRunner(options, observer: self)
    do {
      let outcome = try runner.run()
      result.exactJournal = try outcome.folder.map { try Run.open($0).exactJournal() }
    } catch let fault as Fault {
      result.fault = fault
    }
    result.declarations = runner.declarations
    return result
  }

  func printed(_ line: String) { result.printed.append(line) }
  func noted(_ text: String) { result.notes.append(text) }
  func progressed(_ progress: SearchState) {}
  func finished(_ trial: TrialSummary, _ progress: SearchState) {}
}
