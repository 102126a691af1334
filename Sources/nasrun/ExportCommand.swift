import ArgumentParser
import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet
import RunStore
import SearchCore

/// `nasrun export RUN`
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a trial's network into a folder: graph, weights, metrics, and a recipe that trains it on.")

  @Argument(
    help: ArgumentHelp("An id or its unique beginning, a name, a path, or 'last'.", valueName: "run"), completion: .runs
  )
  var runName: String
  @OptionGroup var choice: TrialChoice
  @Option(help: ArgumentHelp("The new folder; by default ./<run's name>-<architecture>.", valueName: "dir"))
  var to: String?
  @Flag(help: "Write into a folder that is there, over files of the same names.") var force = false
  @Flag(help: "Train the trial again when its network wasn't kept: the same bits, checked against the record.")
  var retrain = false
  @Flag(help: "Also write model.onnx, for ONNX Runtime and other programs (opset 17).") var onnx = false
  @Flag(help: "In model.onnx, make batch norms part of the convolutions before them: for answers, not to train on.")
  var foldBatchNorm = false
  @OptionGroup var runs: RunsOption
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    guard onnx || !foldBatchNorm else {
      throw Fault(.usage, "--fold-batch-norm is about model.onnx", expected: "--onnx beside it")
    }
    let report = try RunReport(Run.open(runName, in: runs.url))
    let (search, trial) = try choice.pick(from: report)
    guard trial.status == .ok else { throw Self.unfinished(trial) }
    let folder = URL(filePath: to ?? "\(report.run.identity.name)-\(trial.architecture.suffix(8))")
    var hasFirstWeights = false
    let write = { (model: KeptModel) throws in
      try Exported(report.run, search, trial, model, onnx: onnx ? (foldBatchNorm ? .folded : .kept) : nil).write(
        to: folder, overwriting: force)
      hasFirstWeights = model.hasFirstWeights
    }
    if let model = report.run.keptModel(of: trial.architecture, trialKey: try report.run.key(of: trial)) {
      try write(model)
    } else if retrain {
      try Exported.checkFree(folder, overwriting: force)
      try Retraining(run: report.run, trial: trial, execution: execution).withModel(write)
    } else {
      throw Self.notKept(trial, in: search, report.run)
    }
    let place = folder.relativePath
    print("\(place): trial \(trial.number) of \(search.record.name), \(search.words(for: trial))")
    if hasFirstWeights { print(Self.firstWeights) }
    if onnx { print("For other programs: \(place)/model.onnx, inputs as in architecture.json") }
    print("Train it on: nasrun \(Wording.shell("\(place)/recipe.lua")) (other data: --set data=FOLDER)")
  }

  /// What a proxy scores is meant to have them; else the evaluator scored another network than the one that was kept.
  private static let firstWeights = """
    Its weights are the first, random ones: nothing trained or loaded them. An evaluator that scores another network \
    than trial:network() names it by trial:keep(network).
    """

  private static func unfinished(_ trial: TrialRecord) -> Fault {
    Fault(
      .usage, "trial \(trial.number) has no network to export", expected: "a finished trial",
      got: trial.status == .failed ? "a failed one (\(trial.failure ?? "no reason"))" : "one that still runs",
      hint: "--best takes the best one.")
  }

  /// Says whose networks there are.
  private static func notKept(_ trial: TrialRecord, in search: RunReport.Search, _ run: Run) -> Fault {
    let kept = Set(run.keptModels().map(\.architecture))
    let numbers = search.trials.filter { kept.contains($0.architecture) && $0.status == .ok }.map { String($0.number) }
    let some = numbers.suffix(12).joined(separator: ", ")
    return Fault(
      .usage, "the network of trial \(trial.number) was not kept", path: search.record.name,
      expected: numbers.isEmpty
        ? "networks that were on the Pareto front when they were trained"
        : "one that was on the Pareto front when it was trained: trial \(numbers.count > 12 ? "…, " : "")\(some)",
      hint: (numbers.isEmpty ? "Train" : "Name one of them with --trial, or train") + " this one again with --retrain.")
  }
}

/// The files of an exported network.
struct Exported {
  private let files: [(name: String, text: String)]
  private let weights: URL
  /// The network in ONNX, if it is wanted.
  private let model: Data?

  init(
    _ run: Run, _ search: RunReport.Search, _ trial: TrialRecord, _ model: KeptModel,
    onnx: ONNXGraph.BatchNorm?
  ) throws {
    var about = model.description.object ?? [:]
    guard let graph = about.removeValue(forKey: "graph") else {
      throw Fault(
        .data, "the kept network has no graph", at: model.folder.path(percentEncoded: false),
        expected: "the field graph in architecture.json")
    }
    let recipe = ExportedRecipe(
      title: "Trial \(trial.number) of the search \(search.record.name) in the run \(run.identity.id): "
        + search.words(for: trial),
      architecture: model.description["text"]?.string ?? trial.decisions.text(), description: model.description)
    files = [
      ("architecture.json", JSONValue.object(about).text(pretty: true) + "\n"),
      ("graph.json", graph.text(pretty: true) + "\n"),
      ("metrics.json", Self.metrics(run, search, trial).text(pretty: true) + "\n"), ("recipe.lua", recipe.text),
    ]
    weights = model.weights
    try Self.checkRegular(weights)
    let network = try Self.network(model, graph)
    self.model = try onnx.map { batchNorm in
      try ONNXFile.encode(
        network.graph, network.weights, batchNorm: batchNorm, metadata: ONNXFile.metadata(of: model.description))
    }
  }

  /// The kept network. Throws a `data` fault when its weights aren't those that were kept.
  private static func network(_ model: KeptModel, _ json: JSONValue) throws -> (graph: Graph, weights: Weights) {
    let source = model.folder.appending(path: "architecture.json").path(percentEncoded: false)
    let graph = try Graph(json: json, source: source), path = model.weights.path(percentEncoded: false)
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "export"))
    try weights.load(from: path)
    if let digest = model.description["weights_digest"]?.string, digest != weights.digest {
      throw Fault(
        .data, "the kept weights were changed after they were written", at: path, expected: "the digest \(digest)",
        got: weights.digest, hint: "Remove the folder that they are in, and export with --retrain.")
    }
    return (graph, weights)
  }

  private static func metrics(_ run: Run, _ search: RunReport.Search, _ trial: TrialRecord) -> JSONValue {
    .object([
      "schema": 1, "run": .string(run.identity.id), "recipe": .string(run.identity.recipe),
      "arguments": run.identity.arguments, "seed": .string(String(run.identity.seed)),
      "environment": run.identity.environment, "search": .string(search.record.name),
      "objectives": search.record.objectivesJSON, "trial": trial.json,
    ])
  }

  /// Throws a `usage` fault when something is there and isn't to be overwritten.
  static func checkFree(_ folder: URL, overwriting: Bool) throws {
    let manager = FileManager.default, path = folder.path(percentEncoded: false)
    let content = try? manager.contentsOfDirectory(atPath: path)
    guard overwriting || content?.isEmpty ?? !manager.fileExists(atPath: path) else {
      throw Fault(
        .usage, "there is already something", at: folder.relativePath, expected: "a new or empty folder",
        hint: "Name another with --to DIR, or write over it with --force.")
    }
    if content == nil, manager.fileExists(atPath: path) {
      throw Fault(.usage, "this is a file", at: folder.relativePath, expected: "a folder")
    }
  }

  /// Writes the files. A new folder appears whole; into one that is there, each file goes whole.
  ///
  /// - Throws: `usage` when there is something and it isn't to be overwritten.
  func write(to folder: URL, overwriting: Bool) throws {
    let manager = FileManager.default, path = folder.path(percentEncoded: false)
    try Self.checkFree(folder, overwriting: overwriting)
    let content = try? manager.contentsOfDirectory(atPath: path)
    let target =
      content == nil
      ? folder.deletingLastPathComponent().appending(path: ".\(folder.lastPathComponent).new")
      : folder
    do {
      if content == nil { try? manager.removeItem(at: target) }
      try manager.createDirectory(at: target, withIntermediateDirectories: true)
      let copy = target.appending(path: "weights.safetensors.new")
      try? manager.removeItem(at: copy)
      try manager.copyItem(at: weights, to: copy)
      try check(
        rename(
          copy.path(percentEncoded: false), target.appending(path: "weights.safetensors").path(percentEncoded: false)))
      for file in files { try RunFolder.write(file.text, to: target.appending(path: file.name)) }
      try model?.write(to: target.appending(path: "model.onnx"), options: .atomic)
      if content == nil { try check(rename(target.path(percentEncoded: false), path)) }
    } catch let error where !(error is Fault) {
      if content == nil { try? manager.removeItem(at: target) }
      throw Fault(.limit, "can't write the network", at: folder.relativePath, cause: SystemError.words(for: error))
    }
  }

  /// A run from elsewhere could hold a link to any file.
  private static func checkRegular(_ file: URL) throws {
    var status = stat()
    let path = file.path(percentEncoded: false)
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Fault(.data, "the kept network has no weights", at: path, expected: "a file")
    }
  }

  private func check(_ result: Int32) throws {
    if result != 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
  }
}
