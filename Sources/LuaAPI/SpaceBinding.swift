import Canonical
import Diagnostics
import LuaHost
import SearchCore

/// `nas.space` and the methods of `Space`.
struct SpaceBinding {
  let api: API
  let session: Session

  private static let classDeclaration = ClassDeclaration(
    "Space", object: "space",
    """
    What can be searched: decisions, and one function that builds a network from them. Equal spaces are ==; print(space)
    shows its name and size.
    """)

  /// Declares the class; returns the function `nas.space`.
  func declare() throws -> [(Declaration, API.Body)] {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      SpaceObject.self, methods: api.methods(drawing + reading + changing + composing),
      metamethods: [
        .index: API.unknownName(of: "Space", drawing + reading + changing + composing),
        .text: { call in
          call.push(try call.this(SpaceObject.self).definition.title)
        },
        .equal: { call in
          let same = try call.object(1, as: SpaceObject.self)?.space == call.object(2, as: SpaceObject.self)?.space
          call.push(same)
        },
      ])
    return [(Self.declaration, make)]
  }

  private static let declaration = Declaration(
    "nas.space",
    """
    A search space. Keys with decisions are decisions; `build(arch, x, task)` makes the network of an architecture from
    `nas.nn`, `valid(arch)` rejects combinations, `input(arch, task)` returns the { height, width } to which images are
    resized (bilinear) before `build` sees them. `build` must be pure: the same architecture gives the same network.
    """,
    [Parameter("definition", "table", "decisions by name, and `build`")],
    options: [
      Parameter("name", "string", default: "space", "for people; part of the space's identity"),
      Parameter(
        "mutation", "string", default: "decision", oneOf: MutationPolicy.allCases.map(\.rawValue),
        "how space:mutate draws the decision: all equally likely, or level by level"),
      Parameter("format", "function", optional: true, "function(arch) → text, instead of JSON"),
      Parameter("parse", "function", optional: true, "function(text) → table of decisions, for space:parse"),
    ], returns: "Space")

  /// What a space definition has besides decisions. `input` may also be a decision of that name.
  private static let functions = ["build", "valid", "input"]

  private func make(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    var functions: [String: LuaReference] = [:]
    var fields: [(key: String, value: SpaceNode)] = []
    for (key, value) in arguments[0].table?.pairs ?? [] {
      guard let name = key.string else {
        throw Fault(.recipe, "nas.space: wrong key", path: "space", expected: "a name", got: key.description)
      }
      if let function = value.function {
        guard Self.functions.contains(name) else {
          throw Fault(
            .recipe, "nas.space: '\(name)' is a function", path: "space.\(name)",
            expected: "a decision, a plain value, or one of the functions \(Self.functions.joined(separator: ", "))",
            hint: Suggestion.nearest(to: name, among: Self.functions).map { "Did you mean '\($0)'?" })
        }
        functions[name] = function
      } else if name == "build" || name == "valid" {
        throw Fault(
          .recipe, "nas.space: wrong '\(name)'", path: "space.\(name)", expected: "a function", got: value.description)
      } else {
        fields.append((key: name, value: try SpaceNodes.node(value, depth: 32)))
      }
    }
    let policy = MutationPolicy(rawValue: arguments.text("mutation")) ?? .uniformDecision
    let space = try Space(name: arguments.text("name"), root: .record(Record(fields)), mutation: policy)
    let definition = SpaceDefinition(
      space,
      functions: SpaceFunctions(
        build: functions["build"], valid: functions["valid"], input: functions["input"],
        format: arguments["format"].function, parse: arguments["parse"].function),
      session: session)
    try call.push(SpaceObject(definition, stream: session.mainStream))
  }

  // MARK: - Methods

  private static let this = Parameter("space", "Space")
  private static let architecture = Parameter("arch", "Architecture", "of this space")

  private var drawing: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "space:random", "A random architecture, each decision drawn uniformly.", [Self.this], returns: "Architecture"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          try pushDrawn(
            try space.space.random(using: &space.stream.stream, validity: space.definition.validity), of: space, call)
        }
      ),
      (
        Declaration(
          "space:mutate", "A copy of `arch` with `changes` decisions changed, each to another value.",
          [Self.this, Self.architecture, Parameter("changes", "integer", default: 1, min: 1, "how many decisions")],
          returns: "Architecture"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          let parent = try arguments.object(1, as: ArchitectureObject.self).architecture
          try pushDrawn(
            try space.space.mutate(
              parent, changes: arguments.integer(2), using: &space.stream.stream, validity: space.definition.validity),
            of: space, call)
        }
      ),
      (
        Declaration(
          "space:crossover", "A child that takes each decision from one of two parents.",
          [Self.this, Parameter("a", "Architecture", "a parent"), Parameter("b", "Architecture", "the other")],
          returns: "Architecture"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          let a = try arguments.object(1, as: ArchitectureObject.self).architecture
          let b = try arguments.object(2, as: ArchitectureObject.self).architecture
          try pushDrawn(
            try space.space.crossover(a, b, using: &space.stream.stream, validity: space.definition.validity),
            of: space, call)
        }
      ),
    ]
  }

  private var reading: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "space:size", "The number of architectures, nil when there is a real-valued decision.", [Self.this],
          returns: "number? # nil when there are infinitely many"),
        { arguments, call in
          guard let size = try arguments.object(0, as: SpaceObject.self).space.size else { return call.pushNil() }
          if let size = size.int { call.push(size) } else { call.push(size.double) }
        }
      ),
      (
        Declaration(
          "space:neighbors", "An iterator over the architectures that differ from `arch` in one decision.",
          [Self.this, Self.architecture], returns: "fun(): Architecture? # an iterator"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          let arch = try arguments.object(1, as: ArchitectureObject.self).architecture
          try pushIterator(try space.space.neighbors(of: arch).makeIterator(), of: space, call)
        }
      ),
      (
        Declaration(
          "space:iterate", "An iterator over all architectures, in a fixed order.", [Self.this],
          returns: "fun(): Architecture? # an iterator"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          try pushIterator(try space.space.iterate(), of: space, call)
        }
      ),
    ]
  }

  private var changing: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "space:make",
          "The architecture with these decisions: a table as build sees it, or an architecture of an equal space.",
          [Self.this, Parameter("decisions", "table|Architecture", "all of them")], returns: "Architecture"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          if let given = arguments[1].object(as: ArchitectureObject.self) {
            if given.definition === space.definition { return try call.push(given) }
            return try push(try space.space.adopt(given.architecture), of: space, call)
          }
          try push(try space.space.make(try LuaValues.json(arguments[1])), of: space, call)
        }
      ),
      (
        Declaration(
          "space:parse", "The architecture that a text stands for.",
          [Self.this, Parameter("text", "string", "JSON, or what the space's own `parse` reads")],
          returns: "Architecture"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          let values: JSONValue
          if let parse = space.definition.functions.parse {
            values = try LuaValues.json(try parse([arguments[1]]).first ?? .nil)
          } else {
            values = try JSONValue(parsing: Array(arguments.text(1).utf8), source: "space:parse")
          }
          try push(try space.space.make(values), of: space, call)
        }
      ),
      (
        Declaration(
          "space:fix",
          "The part of the space where some decisions are fixed or narrowed: { [path] = value or list of values }.",
          [Self.this, Parameter("decisions", "table", "a value, or a list of those that stay, by path")],
          returns: "Space"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          let narrowings = try (arguments[1].table?.pairs ?? []).map { key, value -> (path: String, to: Narrowing) in
            let json = try LuaValues.json(value)
            return (path: key.string ?? key.description, to: json.array.map { .options($0) } ?? .value(json))
          }
          let definition = space.definition.narrowed(to: try space.space.fix(narrowings))
          try call.push(SpaceObject(definition, stream: space.stream))
        }
      ),
      (
        Declaration(
          "space:bind", "The same space, drawing from the named random stream.",
          [Self.this, Parameter("stream", "string", "its name")], returns: "Space"),
        { arguments, call in
          let space = try arguments.object(0, as: SpaceObject.self)
          try call.push(SpaceObject(space.definition, stream: session.stream(arguments.text(1))))
        }
      ),
    ]
  }

  /// Hands out what a drawing method drew.
  private func pushDrawn(_ architecture: Architecture, of space: SpaceObject, _ call: borrowing LuaCall) throws {
    if space.stream !== session.mainStream { try session.unaskedDraws.add() }
    try push(architecture, of: space, call)
  }

  private func push(_ architecture: Architecture, of space: SpaceObject, _ call: borrowing LuaCall) throws {
    try call.push(space.definition.object(for: architecture))
  }

  private func pushIterator(
    _ iterator: some IteratorProtocol<Architecture>, of space: SpaceObject, _ call: borrowing LuaCall
  ) throws {
    var iterator = iterator
    let validity = space.definition.validity
    let isBound = space.stream !== session.mainStream
    let next = session.host.function("space iterator") { [session] call in
      while let architecture = iterator.next() {
        if try validity?.accepts(architecture) ?? true {
          if isBound { try session.unaskedDraws.add() }
          return try call.push(space.definition.object(for: architecture))
        }
      }
      call.pushNil()
    }
    try call.push(next)
  }
}
