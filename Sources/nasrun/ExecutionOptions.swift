import ArgumentParser
import Datasets
import Diagnostics
import Foundation
import LuaAPI
import TensorCore

/// How a run is executed: nothing here changes its exact results, but for `--kernels base`.
struct ExecutionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Threads of a training; the results don't depend on it. All cores by default.", valueName: "n"))
  var threads: Int?
  @Option(help: ArgumentHelp("The instruction set: avx512, avx2 or base. The best by default.", valueName: "set"))
  var kernels: String?
  @Flag(name: .shortAndLong, help: "Only what the recipe prints, and errors.") var quiet = false
  @Flag(name: .shortAndLong, help: "A line for each trial with its architecture.") var verbose = false
  @Flag(help: "With an error, show the calls that led to it.") var trace = false
  @Flag(help: "Let the recipe use io and os and read any file.") var trust = false
  @Flag(name: .shortAndLong, help: "Don't ask.") var yes = false
  @Option(
    help: ArgumentHelp(
      "The longest time that a recipe may compute without calling an API function; 0: no limit.", valueName: "s"))
  var secondsBetweenCalls = 60.0

  @Option(
    help: ArgumentHelp(
      "The most memory that what the recipe holds may take: tables, texts, tensors, networks. 2 by default.",
      valueName: "GB"))
  var memory: Double?

  func validate() throws {
    if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes a number from 1 to 256.") }
    if let memory, !(0.01...1e6 ~= memory) { throw ValidationError("--memory takes a number of GB from 0.01.") }
    if !(secondsBetweenCalls >= 0) { throw ValidationError("--seconds-between-calls takes a number from 0.") }
  }

  var verbosity: Verbosity { quiet ? .quiet : verbose ? .verbose : .normal }

  func apply(to options: inout SessionOptions) throws {
    options.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    options.trusted = trust
    options.secondsBetweenCalls = secondsBetweenCalls
    if let memory { options.memoryLimit = Int(memory * Double(1 << 30)) }
    let environment = ProcessInfo.processInfo.environment
    options.scriptsFolder = environment["NASRUN_SCRIPTS"]
    options.imageCache = ImageCache.standardFolder(environment)
    options.kernels = try kernels.map { try KernelSet(named: $0) }
  }
}

extension KernelSet {
  /// The set that an option names. Throws a `usage` fault for a name that there isn't.
  init(named name: String) throws {
    guard let set = KernelSet(rawValue: name) else {
      let names = KernelSet.allCases.map(\.rawValue)
      throw Fault(.usage, "unknown instruction set '\(name)'", hint: Suggestion.hint(for: name, among: names))
    }
    self = set
  }
}
