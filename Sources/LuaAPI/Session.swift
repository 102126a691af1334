import Canonical
import Datasets
import Diagnostics
import Exchange
import Foundation
import LuaHost
import NeuralNet
import RunStore
import SearchCore
import TensorCore

/// What one execution of a recipe is made with.
public struct SessionOptions {
  public var recipe: RecipeSource
  /// `--set` as given.
  public var settings: [(name: String, value: String)] = []
  /// The settings that the command line named: the recipe may read the paths among their values. All by default.
  public var named: Set<String>?
  /// Where relative paths start.
  public var workingFolder = FileManager.default.currentDirectoryPath
  public var seed: UInt64 = 1
  /// The folder for runs.
  public var runs: URL
  public var name: String?
  /// The run whose effects this one may take.
  public var parent: Run?
  /// The run to go on with, open for writing.
  public var resuming: Run?
  public var threads = 1
  /// The instruction set; nil for the best this CPU has.
  public var kernels: KernelSet?
  /// Opens `io` and `os` and all paths to the recipe.
  public var trusted = false
  /// The key of the one trial to compute once more; everything else comes from the record (`Reproduction`).
  public var reproducing: String?
  /// Only build that trial's network, as `graph.json` in the run's folder, and don't train it.
  public var onlyBuilds = false
  /// The module of the library that uses the recipe's file for something else than a run.
  public var harness: Harness?
  /// Only find out the recipe's settings.
  public var listsSettings = false
  /// A folder with a `nas/` that wins over the embedded library.
  public var scriptsFolder: String?
  /// The folder that keeps decoded images for later runs; nil: none does.
  public var imageCache: String?
  /// The longest time a recipe may compute without calling an API function, in seconds; 0 for no limit.
  public var secondsBetweenCalls = 60.0
  /// The most memory that what a recipe holds may take, in bytes: tables, texts, tensors, batches, networks.
  public var memoryLimit = LuaOptions.standardMemoryLimit

  public init(recipe: RecipeSource, runs: URL) {
    self.recipe = recipe
    self.runs = runs
  }
}

/// One execution of a recipe: what its API functions share.
final class Session {
  let options: SessionOptions
  let compute: Compute
  let access: DataAccess
  let clock: ActiveClock
  weak var observer: (any RunObserver)?
  private(set) var run: Run?
  /// Whether anything was asked of the run's record, or of its folder.
  private var isRunUsed = false
  /// The recipe's settings by name, once `nas.args` was called.
  var arguments: [String: JSONValue]?
  var openData: [String: DataObject] = [:]
  private var openedData = OpenedData()
  /// The table of `nas.core`, to which the Lua library adds.
  var core: LuaReference?
  private var builders: [(graph: GraphBuilder, open: OpenBuild?)] = []
  /// Spaces whose build functions are being digested: a build may capture its own space.
  private var digested: [SpaceDefinition] = []
  /// What was warned of once.
  private var warnedOf: Set<String> = []
  private var notes: [(kind: String, text: String)] = []
  private var streams: [String: StreamObject] = [:]
  /// The models whose functions are being called, the innermost last.
  var models: [ModelObject] = []
  private var openTape: Tape?
  /// The network that the result of the last trial is of, if its evaluator has one.
  weak var trialNetwork: NetworkObject?

  var seed: UInt64 { options.seed }
  private(set) lazy var effects = Effects(session: self)
  private(set) lazy var lookups = Lookups(session: self)
  let unaskedDraws = UnaskedDraws()
  /// The steps of scripts' own trainings.
  private(set) lazy var states = StateCheckpoints(session: self)
  /// Where the streams draw: what happens in a trial or a build draws apart.
  let randomScopes = RandomScopes()
  /// The stream of `math.random` and of spaces outside a search.
  let mainStream: StreamObject
  let host: LuaHost

  init(_ options: SessionOptions, observer: any RunObserver) throws {
    self.options = options
    self.observer = observer
    run = options.resuming
    mainStream = StreamObject(seed: options.seed, name: "recipe", scopes: randomScopes)
    compute = try Compute(kernels: options.kernels, threads: options.threads)
    host = try LuaHost(Self.lua(options, mainStream, observer))
    clock = ActiveClock(before: options.resuming?.activeSeconds ?? 0, host: host)
    access = DataAccess(
      recipeFolder: options.recipe.folder, workingFolder: options.workingFolder,
      named: options.settings.filter { options.named?.contains($0.name) ?? true }.map(\.value),
      unrestricted: options.trusted)
  }

  /// The VM's limits, folders and ends.
  private static func lua(_ options: SessionOptions, _ random: StreamObject, _ observer: any RunObserver) -> LuaOptions
  {
    var lua = LuaOptions(random: { random.stream.next() })
    lua.secondsBetweenCalls = options.secondsBetweenCalls
    lua.memoryLimit = options.memoryLimit
    lua.trusted = options.trusted
    // A resumed run has the modules as they were; one that it had not come to yet is still beside the recipe.
    let kept = options.resuming.map { $0.folder.appending(path: "lib").path(percentEncoded: false) }
    lua.recipeFolders = [kept, options.recipe.folder].compactMap { $0 }
    lua.scriptsFolder = options.scriptsFolder
    lua.output = { [weak observer] line in observer?.printed(line) }
    return lua
  }

  /// A named random stream; the same object for the same name.
  func stream(_ name: String) -> StreamObject {
    if let stream = streams[name] { return stream }
    let stream = StreamObject(seed: seed, name: name, scopes: randomScopes)
    streams[name] = stream
    return stream
  }

  /// The tape that tensors are computed on. Ops that draw random numbers outside of a model draw from the stream
  /// `tensor/draws`.
  func tape() throws -> Tape {
    if let openTape { return openTape }
    let tape = try Tape(compute: compute, memoryChanged: { [weak host] in host?.countBytes($0) }) { [unowned self] in
      stream("tensor/draws").stream.next()
    }
    openTape = tape
    return tape
  }

  // MARK: - The run

  /// The run's record, made when it is first needed: a recipe that fails before it does anything leaves nothing behind.
  func startedRun() throws -> Run {
    isRunUsed = true
    return try openRun()
  }

  private func openRun() throws -> Run {
    if options.listsSettings { throw LuaSignal(settingsListed, reason: "") }
    if let run { return run }
    try checkSettings()
    let run = try Run.create(
      in: options.runs, name: options.name, recipe: options.recipe, arguments: .object(arguments ?? [:]), seed: seed,
      environment: Environment.record(options, compute: compute, library: String(LibraryText.digest.prefix(12))),
      reuse: options.parent)
    self.run = run
    for (kind, text) in notes { run.note(kind, text) }
    notes = []
    return run
  }

  /// Whether the recipe has its settings, or asks for none: they are part of the record.
  var knowsSettings: Bool { arguments != nil || !options.recipe.text.contains("args") }

  /// Makes the run's record when work begins that takes time: a run that is killed then is found and can be resumed.
  /// Not as long as settings of the command line wait for the recipe to ask for them.
  func beginWork() throws {
    if run == nil, arguments != nil || options.settings.isEmpty { _ = try openRun() }
  }

  /// Removes a run that was only begun, at the recipe's end: nothing was recorded, nothing was saved.
  func removeUnusedRun() {
    guard !isRunUsed, options.resuming == nil, let folder = run?.folder else { return }
    run = nil  // gives its lock back
    try? Run.remove(folder)
  }

  /// Writes down how the run ended that a fault ends. That the record takes no more must not hide the fault.
  func end(_ status: RunStatus, because fault: Fault) {
    do {
      try run?.finish(status, reason: fault.description)
    } catch {
      observer?.noted("warning: the end of the run isn't in its record: \(error)")
    }
  }

  /// Throws a `usage` fault when the command line has settings that the recipe never asked for.
  func checkSettings() throws {
    guard arguments == nil, let (name, _) = options.settings.first, !options.listsSettings else { return }
    throw Fault(.usage, "the recipe has no setting '\(name)'", hint: "It never calls nas.args { … }.")
  }

  /// Keeps the texts of the modules that the recipe required from its own folder.
  func keepModules() throws {
    guard let run else { return }
    for module in host.requiredModules where !module.isLibrary { try run.keep(module: module.name, text: module.text) }
  }

  /// Tells the user and the record.
  func warn(_ text: String) {
    observer?.noted("warning: " + text)
    note("warning", text)
  }

  /// The same, of all warnings with this beginning (to the colon) the first only.
  func warnOnce(_ text: String) {
    if warnedOf.insert(String(text.prefix { $0 != ":" })).inserted { warn(text) }
  }

  /// Tells the user and the record what is no cause for concern.
  func tell(_ kind: String, _ text: String) {
    observer?.noted(text)
    note(kind, text)
  }

  /// Keeps what data the recipe opened, and warns where a resumed run began with others.
  func note(data: Dataset) throws {
    let text = data.json.text()
    if let begun = try openedData.compare(text, with: options.resuming) {
      warn(
        "the data are not those that the run began with: expected \(Self.words(begun)), got \(Self.words(data.json)); "
          + "put them back, or start the recipe again")
    }
    note("data", text)
  }

  private static func words(_ data: JSONValue) -> String {
    "\(data["name"]?.string ?? "") with the digest \((data["digest"]?.string ?? "").prefix(12))"
  }

  private func note(_ kind: String, _ text: String) {
    if let run { run.note(kind, text) } else { notes.append((kind: kind, text: text)) }
  }

  /// The digest of a Lua function; data, spaces and architectures that it captures count by their content.
  ///
  /// - Parameter parts: what objects count as that have no digest of their own here.
  func digest(
    of function: LuaReference, leavingOut: Set<String> = [], parts: [ObjectIdentifier: String] = [:]
  ) throws -> String {
    try host.digest(of: function, leavingOut: leavingOut) { [self] in parts[ObjectIdentifier($0)] ?? contentKey(of: $0)
    }
  }

  /// What an object that a function captures counts as: its content, for spaces and architectures with their `build`.
  private func contentKey(of object: any LuaObject) -> String? {
    if let tensor = object as? Tensor {
      guard (try? states.settle(for: tensor)) != nil else { return nil }
      return [NamedArray(name: "\(tensor.shape)", shape: tensor.shape, values: tensor.values)].digest
    }
    let definition = (object as? SpaceObject)?.definition ?? (object as? ArchitectureObject)?.definition
    guard let key = object.orderKey, let definition, let build = definition.build,
      !digested.contains(where: { $0 === definition })
    else { return object.orderKey }
    digested.append(definition)
    defer { digested.removeLast() }
    guard let code = try? digest(of: build) else { return nil }
    guard let input = definition.functions.input else { return ContentDigest.of(key, code) }
    return (try? digest(of: input)).map { ContentDigest.of(key, code, $0) }
  }

  // MARK: - Networks

  /// Runs a recipe's `build` with the builder that `nas.nn` adds to. Random numbers that it draws are the same each
  /// time that it builds this architecture.
  func building<Result>(
    with builder: GraphBuilder, of id: String, open: OpenBuild? = nil, _ body: () throws -> Result
  ) rethrows -> Result {
    builders.append((builder, open))
    let allowed = host.allowsRecipeModules
    host.allowsRecipeModules = true
    defer {
      builders.removeLast()
      host.allowsRecipeModules = allowed
    }
    return try randomScopes.enter("build/" + id, body)
  }

  /// Whether a network is being built.
  var isBuilding: Bool { !builders.isEmpty }

  /// The builder of the network that is being built.
  func builder(for function: String) throws -> GraphBuilder {
    guard let builder = builders.last else {
      throw Fault(
        .recipe, "\(function) was called outside of build",
        hint: "nas.nn makes networks inside a space's build function.")
    }
    return builder.graph
  }

  /// How the network that is being built treats open decisions; nil when it has none.
  var openBuild: OpenBuild? { builders.last?.open }

  /// The stand-alone network of an architecture for a task, with weights from the stream `<stream>/weights`.
  func network(
    _ arch: ArchitectureObject, task: NetworkTask, stream: String, scheme: WeightScheme = .standard
  ) throws -> NetworkObject {
    let graph = try arch.definition.graph(
      of: arch.architecture, input: task.imageShape, classes: task.classNames.count, kind: task.kind)
    return try network(graph, of: arch, task: task, stream: stream, scheme: scheme)
  }

  /// The same of a graph that was built before.
  func network(
    _ graph: Graph, of arch: ArchitectureObject, task: NetworkTask, stream: String, scheme: WeightScheme
  ) throws -> NetworkObject {
    try beginWork()
    let random = RandomSource(seed: seed, name: stream + "/weights")
    return NetworkObject(
      graph, try Weights(graph, random: random, scheme: scheme), arch: arch, task: task, stream: stream, seed: seed,
      scheme: scheme)
  }

  // MARK: - Weights in the run's folder

  /// Keeps weights by their version, for a resumed run.
  func keep(_ weights: Weights, version: String) throws {
    let file = try startedRun().folder.appending(path: Self.weightsPath(version))
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try weights.save(to: file.path(percentEncoded: false), metadata: ["version": version])
  }

  /// Loads weights that this run kept, or its parent; then they are copied, so that the run stands on its own.
  func restore(_ weights: Weights, version: String) throws {
    try copyFromParent(Self.weightsPath(version))
    try weights.load(
      from: try startedRun().folder.appending(path: Self.weightsPath(version)).path(percentEncoded: false))
  }

  /// Keeps a training's state by its version, for a resumed run.
  func save(_ snapshot: (arrays: [NamedArray], metadata: [String: String]), version: String) throws {
    let file = try startedRun().folder.appending(path: Self.weightsPath(version))
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Safetensors.write(snapshot.arrays, metadata: snapshot.metadata, to: file.path(percentEncoded: false))
  }

  /// Reads a state that this run kept, or its parent.
  func snapshot(version: String) throws -> (arrays: [NamedArray], metadata: [String: String]) {
    try copyFromParent(Self.weightsPath(version))
    return try Safetensors.read(
      try startedRun().folder.appending(path: Self.weightsPath(version)).path(percentEncoded: false))
  }

  private static func weightsPath(_ version: String) -> String { "weights/\(version.prefix(16)).safetensors" }

  /// The states that trainings of trials ended in.
  func checkpoints() throws -> Checkpoints {
    let run = try startedRun()
    func folder(of run: Run) -> URL { run.folder.appending(path: "checkpoints", directoryHint: .isDirectory) }
    return Checkpoints(folder: folder(of: run), parent: run.parent.map(folder))
  }

  /// Copies a file of the parent run to the same place in this one, unless it is there.
  func copyFromParent(_ path: String) throws {
    let run = try startedRun()
    guard let source = run.parent?.folder.appending(path: path), FileManager.default.fileExists(atPath: source.path)
    else { return }
    try copy(source, to: run.folder.appending(path: path))
  }

  /// Copies a file or folder, whole or not at all, unless the target is there.
  func copy(_ source: URL, to target: URL) throws {
    let files = FileManager.default, name = target.lastPathComponent
    guard !files.fileExists(atPath: target.path(percentEncoded: false)) else { return }
    let temporary = target.deletingLastPathComponent().appending(path: name + ".new")
    try files.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? files.removeItem(at: temporary)
    try files.copyItem(at: source, to: temporary)
    try files.moveItem(at: temporary, to: target)
  }
}
