import ArgumentParser
import Canonical
import Diagnostics
import Foundation
import LuaAPI

/// `nasrun test`: Lua tests, and suites that any strategy, space, proxy or evaluator can be put through.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run Lua tests, or put a strategy, space, proxy or evaluator through its paces.",
    discussion: """
      A FILE holds tests: describe("…", function() it("…", function() expect(x):to_equal(y) end) end).

      --strategy, --space, --proxy and --evaluator take a file that returns one, or the name of a module such as \
      nas.strategies.random. It is run again and again: with the same seed and others, interrupted and resumed, with \
      failing trials, on spaces of every kind. The report says what was done, what was expected, what came and what to \
      mend.

      The exit status is 1 when something failed. Nothing is left in the folder of runs.
      """)

  @Argument(help: "Files with tests.", completion: .file(extensions: ["lua"])) var files: [String] = []
  @Option(help: ArgumentHelp("A strategy to try.", valueName: "file|module"), completion: .file(extensions: ["lua"]))
  var strategy: String?
  @Option(help: ArgumentHelp("A space to try.", valueName: "file|module"), completion: .file(extensions: ["lua"]))
  var space: String?
  @Option(help: ArgumentHelp("A proxy to try.", valueName: "file|module"), completion: .file(extensions: ["lua"]))
  var proxy: String?
  @Option(help: ArgumentHelp("An evaluator to try.", valueName: "file|module"), completion: .file(extensions: ["lua"]))
  var evaluator: String?
  @Option(
    name: .customLong("set"), parsing: .upToNextOption,
    help: ArgumentHelp("Options for what the file makes, such as population=20.", valueName: "name=value"))
  var settings: [String] = []
  @Option(help: ArgumentHelp("Only tests and checks whose name holds this text.", valueName: "text"))
  var filter: String?
  @Option(help: ArgumentHelp("Without tests and checks whose name holds this text.", valueName: "text"))
  var skip: [String] = []
  @Option(help: ArgumentHelp("Trials of a search where a strategy is compared with random search.", valueName: "n"))
  var trials = 100
  @Option(help: ArgumentHelp("How many such searches, each with a seed of its own.", valueName: "n")) var seeds = 12
  @Flag(help: "Let notes count as failures.") var strict = false
  @Flag(help: "Print JSON.") var json = false
  @Option(help: ArgumentHelp("Also write JUnit XML into this file.", valueName: "file"), completion: .file())
  var junit: String?
  @Flag(name: .shortAndLong, help: "Only what is wrong, and the count.") var quiet = false
  @Flag(help: "Let the files use io and os and read any file.") var trust = false

  /// The suites asked for: the kind and the file or module.
  private var subjects: [(kind: String, name: String)] {
    [("strategy", strategy), ("space", space), ("proxy", proxy), ("evaluator", evaluator)].compactMap { kind, name in
      name.map { (kind, $0) }
    }
  }

  func validate() throws {
    if files.isEmpty, subjects.isEmpty {
      throw ValidationError("Name a file with tests, or --strategy, --space, --proxy or --evaluator with a file.")
    }
    if !(10...100_000).contains(trials) { throw ValidationError("--trials takes a number from 10 to 100000.") }
    if !(10...16).contains(seeds) { throw ValidationError("--seeds takes a number from 10 to 16.") }
  }

  func run() throws {
    let listener: TestReport.Listener = json ? .silent : quiet ? .failures : .all
    var report = TestReport(listener, strict: strict)
    for file in files { try TestSession(file: file, trusted: trust).run(selection, into: &report) }
    for (kind, name) in subjects {
      try TestSession(subject: name, kind: kind, trusted: trust).run(suiteArguments(kind), into: &report)
    }
    report.finish()
    if json { print(report.json.text(pretty: true)) }
    if let junit { try report.writeJUnit(to: junit) }
    if report.hasFailed { throw ExitCode.failure }
  }

  private var selection: JSONValue {
    .object(
      [
        "filter": filter.map(JSONValue.string) ?? .null, "skip": .array(skip.map(JSONValue.string)),
      ].filter { $0.value != .null })
  }

  private func suiteArguments(_ kind: String) throws -> JSONValue {
    var fields = selection.object ?? [:]
    fields["kind"] = .string(kind)
    fields["trials"] = .int(trials)
    fields["seeds"] = .int(seeds)
    let options = try settings.map(RecipeArguments.split).map { ($0.name, Self.value($0.value)) }
    fields["options"] = .object(Dictionary(options) { _, last in last })
    return .object(fields)
  }

  /// A number or a boolean where the text is one.
  private static func value(_ text: String) -> JSONValue {
    if let number = Int(text) { return .int(number) }
    if let number = Double(text) { return .number(number) }
    return ["true": .bool(true), "false": .bool(false)][text] ?? .string(text)
  }
}
