import Canonical
import Datasets
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore

/// The functions of a space that are not decisions; nil where a recipe gives none.
struct SpaceFunctions {
  /// `build(arch, x, task)`; nil for a space that is only looked up in a table.
  var build: LuaReference?
  /// `valid(arch)`.
  var valid: LuaReference?
  /// `input(arch, task)`: the size to which images are resized.
  var input: LuaReference?
  /// `format(arch)`: text instead of JSON.
  var format: LuaReference?
  /// `parse(text)`: the decisions.
  var parse: LuaReference?
}

/// A search space as a recipe declared it: the decisions, and the functions that go with them.
final class SpaceDefinition {
  let space: Space
  let functions: SpaceFunctions
  var build: LuaReference? { functions.build }
  unowned let session: Session
  /// The architectures that a script holds, so that equal ones are the same object.
  private var known: [String: WeakArchitecture] = [:]

  /// The size at which entries of architectures that nobody holds are dropped from `known`.
  private var sweepAt = 4096
  /// Digests of the networks that `build` gave, by architecture, input and classes.
  private var built: [String: String] = [:]

  /// What `view` is made by.
  private var refusing: LuaValue?

  private struct WeakArchitecture { weak var object: ArchitectureObject? }

  init(_ space: Space, functions: SpaceFunctions, session: Session) {
    (self.space, self.functions, self.session) = (space, functions, session)
  }

  /// The same functions on a narrowed space.
  func narrowed(to space: Space) -> SpaceDefinition {
    SpaceDefinition(space, functions: functions, session: session)
  }

  /// The values of an architecture as a recipe's functions see them: a name that the space doesn't have is an error.
  func view(_ values: LuaValue) throws -> LuaValue {
    if refusing == nil {
      let names = try session.host.table(space.root.keys.sorted().map { .string($0) })
      refusing = try session.core?["decision_view"].function?([names]).first
    }
    return try refusing?.function?([values]).first ?? values
  }

  /// The recipe's `valid` function as a test; nil without one.
  var validity: Validity? {
    guard let valid = functions.valid else { return nil }
    return Validity { [self, session] architecture in
      let verdict = try valid([try view(session.host.value(architecture.values))]).first ?? .nil
      guard let isValid = verdict.bool else {
        throw Fault(
          .recipe, "wrong result of the space's valid function", path: "space.valid", expected: "true or false",
          got: verdict.description, hint: "End it with `return …`.")
      }
      return isValid
    }
  }

  /// The one object of an architecture.
  func object(for architecture: Architecture) -> ArchitectureObject {
    let id = architecture.id
    if let object = known[id]?.object { return object }
    if known.count >= sweepAt {
      known = known.filter { $0.value.object != nil }
      sweepAt = max(4096, 2 * known.count)
    }
    let object = ArchitectureObject(architecture, id: id, definition: self)
    known[id] = WeakArchitecture(object: object)
    return object
  }

  /// Its name and size.
  var title: String {
    let size = space.size?.description ?? "infinitely many"
    return "Space(\(space.name), \(size) \(size == "1" ? "architecture" : "architectures"))"
  }

  /// An error that names both spaces where an architecture isn't one of this space: of equal decisions, and of equal code
  /// in `build`.
  func require(_ arch: ArchitectureObject, for what: String) throws {
    let theirs = arch.definition
    if theirs === self { return }
    let builds = try [self, theirs].map { try $0.build.map { try session.digest(of: $0) } }
    if builds[0] == builds[1], (try? space.adopt(arch.architecture)) != nil { return }
    throw Fault(
      .recipe, "\(what): the architecture is of another space", expected: "an architecture of \(title)",
      got: "one of \(theirs.title)")
  }

  /// The architecture as text: by the space's `format`, or its decisions as JSON.
  func text(of architecture: Architecture) throws -> String {
    guard let format = functions.format else { return architecture.canonicalText }
    guard let text = try format([try session.host.value(architecture.values)]).first?.string else {
      throw Fault(.recipe, "the space's format function did not return a text")
    }
    return text
  }

  /// Builds the network of an architecture for images of a shape: one call of the recipe's `build`.
  func graph(
    of architecture: Architecture, input shape: [Int], classes: Int, kind: String = "classification"
  ) throws -> Graph {
    let builder = try GraphBuilder(inputs: [(name: "input", shape: shape)])
    let outputs = try session.building(with: builder, of: architecture.id) {
      try call(
        build: try view(session.host.value(architecture.values)), builder,
        Self.task(input: shape, classes: classes, kind: kind))
    }
    let graph = try builder.finish(outputs: outputs)
    try checkPurity(graph, of: "\(architecture.id) \(shape) \(classes) \(kind)")
    return graph
  }

  /// What `build` is told about the data.
  static func task(input shape: [Int], classes: Int, kind: String = "classification") -> JSONValue {
    ["kind": .string(kind), "classes": .int(classes), "input": .array(shape.map(JSONValue.int))]
  }

  /// Calls the recipe's `build` on an architecture as it sees one.
  func call(
    build architecture: LuaValue, _ builder: GraphBuilder, _ task: JSONValue
  ) throws -> [(name: String, value: Symbol)] {
    guard let build else {
      throw Fault(
        .recipe, "this space has no build function", path: "space",
        hint: "Give nas.space a build = function(arch, x, task).")
    }
    let (x, task) = try resized(builder.inputs[0], for: architecture, builder, task)
    let result = try build([architecture, .userdata(SymbolObject(x)), try session.host.value(task)])
    return try Self.outputs(result.first ?? .nil)
  }

  /// The network's input at the size that the space's `input` wants, and the task with that size.
  private func resized(
    _ x: Symbol, for architecture: LuaValue, _ builder: GraphBuilder, _ task: JSONValue
  ) throws -> (Symbol, JSONValue) {
    guard let input = functions.input else { return (x, task) }
    let wanted = try input([architecture, try session.host.value(task)]).first ?? .nil
    let size = wanted.table?.array.compactMap(\.integer) ?? []
    guard size.count == 2, size.allSatisfy({ (1...4096).contains($0) }), x.shape.isImage else {
      throw Fault(
        .recipe, "wrong result of the space's input function", path: "space.input",
        expected: x.shape.isImage ? "{ height, width } in pixels" : "data that are images",
        got: x.shape.isImage ? wanted.description : "rows of a table",
        hint: x.shape.isImage ? "End it with `return { …, … }`." : "Leave `input` out of the space.")
    }
    var described = task.object ?? [:]
    described["input"] = .array((size + [x.shape.channels]).map(JSONValue.int))
    if size == [x.shape.height, x.shape.width] { return (x, .object(described)) }
    let attributes: [String: JSONValue] = [
      "height": .int(size[0]), "width": .int(size[1]), "method": "bilinear",
    ]
    return (try builder.apply("resize", [x], attributes: attributes, name: "input_size"), .object(described))
  }

  /// Throws when a network that is to be trained has not one output for each class.
  func check(outputsOf graph: Graph, fit data: Dataset) throws {
    guard let output = graph.outputs.first else { return }
    if data.kind == "regression", graph.type(of: output).shape != .vector(1) {
      throw Fault(
        .recipe, "wrong shape of the network's output for a regression", path: "space.build", expected: "[N, 1]",
        got: "\(graph.type(of: output).shape)", hint: "End build with nn.linear(x, task.classes).")
    }
    guard data.kind == "classification" else { return }
    let given = graph.type(of: output).shape.elementsPerSample, classes = data.classNames.count
    guard given != classes else { return }
    throw Fault(
      .recipe, "the network's output doesn't fit the data", path: "space.build", expected: "\(classes) classes",
      got: "\(given)", hint: "End build with nn.linear(x, task.classes).")
  }

  /// Throws when `build` gave another network for the same architecture before: its trials could not be repeated.
  private func checkPurity(_ graph: Graph, of what: String) throws {
    let digest = graph.digest + graph.parametersDigest
    guard built.updateValue(digest, forKey: what) ?? digest == digest else {
      throw Fault(
        .recipe, "build gave two different networks for the same architecture", path: "space.build",
        hint: "It must depend on its arguments alone: keep counters and other variables out of it.")
    }
  }

  private static func outputs(_ value: LuaValue) throws -> [(name: String, value: Symbol)] {
    if let symbol = value.object(as: SymbolObject.self) { return [(name: "output", value: symbol.symbol)] }
    let named = value.table?.pairs.compactMap { key, value -> (name: String, value: Symbol)? in
      guard let name = key.string, let symbol = value.object(as: SymbolObject.self) else { return nil }
      return (name: name, value: symbol.symbol)
    }
    guard let named, !named.isEmpty, named.count == value.table?.pairs.count else {
      throw Fault(
        .recipe, "wrong result of build", expected: "a value of nas.nn, or a table of named ones",
        got: value.description,
        hint: "End build with `return …`.")
    }
    return named
  }
}

/// A space as scripts hold it: the definition, and the random stream that it draws from.
final class SpaceObject: LuaObject {
  static let luaName = "Space"
  let definition: SpaceDefinition
  let stream: StreamObject
  var space: Space { definition.space }
  var orderKey: String? { space.digest }

  init(_ definition: SpaceDefinition, stream: StreamObject) {
    self.definition = definition
    self.stream = stream
  }
}

/// An architecture as scripts hold it.
final class ArchitectureObject: LuaObject {
  static let luaName = "Architecture"
  let architecture: Architecture
  let id: String
  let definition: SpaceDefinition
  var orderKey: String? { id }

  init(_ architecture: Architecture, id: String, definition: SpaceDefinition) {
    self.architecture = architecture
    self.id = id
    self.definition = definition
  }
}

/// A value of a network that is being built, as scripts hold it.
final class SymbolObject: LuaObject {
  static let luaName = "Value"
  let symbol: Symbol
  init(_ symbol: Symbol) { self.symbol = symbol }
}

/// A part of a space definition as scripts hold it: what `nas.oneof` and its like return.
final class NodeObject: LuaObject {
  static let luaName = "Decision"
  let node: SpaceNode
  init(_ node: SpaceNode) { self.node = node }
}
