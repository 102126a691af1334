import Canonical
import Datasets
import Diagnostics
import Exchange
import Foundation
import LuaHost
import NeuralNet
import RunStore
import SearchCore

extension Session {
  /// Writes a network into `models/` (`Run.modelFolder`), as ONNX too where that is wanted, and returns the folder.
  func saveModel(_ network: NetworkObject, onnx: ONNXGraph.BatchNorm? = nil) throws -> URL {
    let trialKey = effects.trialKey
    let folder = try startedRun().modelFolder(of: network.arch.id, trialKey: trialKey)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try network.weights.save(
      to: folder.appending(path: "weights.safetensors").path(percentEncoded: false),
      metadata: ["format": "nasrun", "architecture": network.arch.id])
    let description: JSONValue = [
      "schema": 1, "id": .string(network.arch.id), "decisions": network.arch.architecture.values,
      "text": .string(try network.arch.definition.text(of: network.arch.architecture)),
      "input": network.preprocessing, "seed": .string(String(seed)),
      "params": .int(network.graph.parameterCount), "macs": .int(network.graph.macs),
      "trial_key": trialKey.map(JSONValue.string) ?? .null, "made_for": network.task.data,
      "training": .array(network.trainings),
      "score": network.lastScore ?? .null, "weights_digest": .string(network.weights.digest),
      "has_first_weights": .bool(network.hasFirstWeights), "graph": network.graph.json,
    ]
    try RunFolder.write(description.text(pretty: true) + "\n", to: folder.appending(path: "architecture.json"))
    let model = folder.appending(path: "model.onnx")
    // One of other weights may be there.
    try? FileManager.default.removeItem(at: model)
    if let onnx {
      try ONNXFile.write(
        network.graph, network.weights, batchNorm: onnx, metadata: ONNXFile.metadata(of: description),
        to: model.path(percentEncoded: false))
    }
    return folder
  }

  /// Takes over the files of a network that the parent saved in a trial.
  func copyModelFromParent(_ id: String, trialKey: String) throws {
    let run = try startedRun()
    guard let model = run.parent?.keptModel(of: id, trialKey: trialKey),
      run.keptModel(of: id, trialKey: trialKey) == nil
    else { return }
    try copy(model.folder, to: run.modelFolder(of: id, trialKey: trialKey))
  }
}

/// `nas.load_network`: a network from the files of an exported or kept one, without the recipe that built it.
struct SavedModels {
  let session: Session

  var function: (Declaration, API.Body) { (Self.declaration, load) }

  private static let declaration = Declaration(
    "nas.load_network",
    """
    A network from a folder that 'nasrun export' or network:save wrote: the graph (graph.json, or in
    architecture.json), weights.safetensors, and architecture.json. Its weights, and so its answers, are those of the
    saved network, bit for bit.
    """,
    context: "evaluator or recipe",
    [Parameter("folder", "string", "nas.run.recipe_folder in the recipe of an exported network")],
    options: [
      Parameter("data", "Data", optional: true, "what it is to be trained or scored on: checked to fit")
    ],
    returns: "Network")

  private func load(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let folder = try session.readable(arguments.text(0))
    func path(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
    let about = try Self.json(path("architecture.json"))
    let graph: Graph
    if let json = about["graph"] {
      graph = try Graph(json: json, source: path("architecture.json"))
    } else {
      graph = try Graph(contentsOf: path("graph.json"))
    }
    let task = try Self.task(arguments["data"].object(as: DataObject.self), of: graph, about, path("architecture.json"))
    let arch = try architecture(about, source: path("architecture.json"))
    let network = try session.network(
      graph, of: arch, task: task, stream: "loaded/" + arch.id, scheme: .standard)
    try network.weights.load(from: path("weights.safetensors"))
    network.advance(to: network.version(after: ["loaded": .string(network.weights.digest)]))
    network.storedPreprocessing = about["input"]
    try call.push(network)
  }

  private static func json(_ path: String) throws -> JSONValue {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Fault(
        .data, "there is no saved network", at: path, expected: "a file architecture.json",
        hint: "Name a folder that 'nasrun export' or network:save wrote.")
    }
    return try JSONValue(parsing: data, source: path)
  }

  /// What the network is for: the data's task, or what was saved with it. Throws a `recipe` fault when the data don't
  /// fit the graph.
  private static func task(
    _ data: DataObject?, of graph: Graph, _ about: JSONValue, _ source: String
  ) throws -> NetworkTask {
    guard let data else { return try NetworkTask(saved: about["input"], source: source) }
    let task = NetworkTask(data), shape = graph.type(of: graph.inputs[0]).shape.dimensions
    let saved = try? NetworkTask(saved: about["input"], source: source)
    let classes = saved?.classNames.count ?? task.classNames.count
    guard task.imageShape == shape, task.classNames.count == classes else {
      func text(_ shape: [Int], _ classes: Int) -> String {
        shape.map(String.init).joined(separator: "×") + " inputs and \(classes) classes"
      }
      throw Fault(
        .recipe, "nas.load_network: the data don't fit the network", at: source, expected: text(shape, classes),
        got: text(task.imageShape, task.classNames.count), hint: "Open the data that it was trained on, or alike ones.")
    }
    return task
  }

  /// The architecture by its decisions alone: the only member of a space without choices. It has the same id.
  private func architecture(_ about: JSONValue, source: String) throws -> ArchitectureObject {
    guard let decisions = about["decisions"], let fields = decisions.object, !fields.isEmpty else {
      throw Fault(
        .data, "the file doesn't tell the architecture", at: source, expected: "the field decisions",
        got: about["decisions"]?.text() ?? "none")
    }
    let root = SpaceNode.record(Record(fields.map { (key: $0.key, value: .constant($0.value)) }))
    let definition = SpaceDefinition(
      try Space(name: "saved", root: root), functions: SpaceFunctions(), session: session)
    return definition.object(for: try definition.space.make(decisions))
  }
}

extension NetworkTask {
  /// What `architecture.json` says of the input and the classes. Throws a `data` fault when it doesn't.
  init(saved input: JSONValue?, source: String) throws {
    let shape = (input?["shape"]?.array ?? []).compactMap(\.int)
    let classes = (input?["classes"]?.array ?? []).compactMap(\.string)
    guard !shape.isEmpty, !classes.isEmpty else {
      throw Fault(
        .data, "the file doesn't tell the network's input", at: source, expected: "input with shape and classes",
        got: input?.text() ?? "none")
    }
    imageShape = shape
    classNames = classes
    kind = input?["target"] == nil ? "classification" : "regression"
    normalisation = Normalisation(identityFor: shape.last ?? 1)
    columns = nil
    data = .null
  }
}
