import Canonical
import Datasets
import Diagnostics
import Foundation
import LuaAPI
import RunStore
import LuaHost

/// One file of tests, or one thing put through a suite, in a VM of its own; the runs that it starts are thrown away.
struct TestSession {
  private let title: String
  private let recipe: RecipeSource
  private let module: String
  private let subject: RecipeSource?
  private let trusted: Bool

  /// The tests of a file.
  init(file: String, trusted: Bool) throws {
    title = file
    recipe = try RecipeFile.read(RecipeFile.locate(file))
    module = "nas.testing.file"
    subject = nil
    self.trusted = trusted
  }

  /// The suite for a file or, where there is none of that name, a module of the library.
  init(subject name: String, kind: String, trusted: Bool) throws {
    title = "\(kind) \(name)"
    module = "nas.testing.suite"
    self.trusted = trusted
    if name.hasPrefix("nas."), !FileManager.default.fileExists(atPath: name) {
      subject = RecipeSource(
        file: name, folder: FileManager.default.currentDirectoryPath,
        text: "return require \(JSONValue.string(name).text())\n")
    } else {
      subject = try RecipeFile.read(RecipeFile.locate(name))
    }
    recipe = RecipeSource(file: "nasrun test", folder: subject?.folder ?? "", text: "return\n")
  }

  /// Runs everything and adds the results to the report. A file that can't be run is a failure of its own.
  func run(_ arguments: JSONValue, into report: inout TestReport) throws {
    let runs = FileManager.default.temporaryDirectory.appending(path: "nasrun-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: runs) }
    let collector = ResultCollector(report.begin(title))
    var options = SessionOptions(recipe: recipe, runs: runs)
    let environment = ProcessInfo.processInfo.environment
    options.scriptsFolder = environment["NASRUN_SCRIPTS"]
    options.imageCache = ImageCache.standardFolder(environment)
    options.trusted = trusted
    options.threads = ProcessInfo.processInfo.activeProcessorCount
    options.harness = Harness(module, arguments, subject: subject) { collector.add($0) }
    do {
      _ = try Execution(options, .quiet).run()
    } catch let fault as Fault where fault.code == .recipe || fault.code == .limit || fault.code == .data {
      collector.add(["name": "the file runs", "outcome": "failed", "message": .string(fault.description)])
    }
    report.end(collector.results)
  }
}

/// The results of one session, on the thread of its VM until that has ended.
private final class ResultCollector: @unchecked Sendable {
  private let show: (TestResult) -> Void
  private(set) var results: [TestResult] = []
  private var last = ContinuousClock.now

  init(_ show: @escaping (TestResult) -> Void) { self.show = show }

  func add(_ json: JSONValue) {
    let now = ContinuousClock.now
    let result = TestResult(json, seconds: (now - last) / .seconds(1))
    last = now
    results.append(result)
    show(result)
  }
}
