import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import SearchCore

/// The methods of `Architecture`. A name that is no method reads a decision: `arch.blocks[2].op`.
struct ArchitectureBinding {
  let api: API
  let session: Session

  private static let this = Parameter("arch", "Architecture")

  private var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "arch:id", "The digest of the decisions, with the version of the grammar: `a1-…`.", [Self.this],
          returns: "string"),
        { arguments, call in call.push(try arguments.object(0, as: ArchitectureObject.self).id) }
      ),
      (
        Declaration(
          "arch:values", "The decisions as build sees them, as a new table.", [Self.this], returns: "table<string, any>"
        ),
        { arguments, call in try call.push(try arguments.object(0, as: ArchitectureObject.self).architecture.values) }
      ),
      (
        Declaration("arch:json", "The decisions as canonical JSON text.", [Self.this], returns: "string"),
        { arguments, call in
          call.push(try arguments.object(0, as: ArchitectureObject.self).architecture.canonicalText)
        }
      ),
      (
        Declaration(
          "arch:with", "A copy with another value at a path such as `blocks[2].op`.",
          [
            Self.this, Parameter("path", "string", "of the decision: `blocks[2].op`"),
            Parameter("value", "any", "one of its options"),
          ], returns: "Architecture"),
        { arguments, call in
          let arch = try arguments.object(0, as: ArchitectureObject.self)
          let changed = try arch.architecture.with(arguments.text(1), try LuaValues.json(arguments[2]))
          try call.push(arch.definition.object(for: changed))
        }
      ),
      (
        Declaration(
          "arch:decisions",
          "The decisions that are active in the architecture: as in space:decisions, each with its `value`.",
          [Self.this], returns: "table[] # in the space's order"),
        { arguments, call in
          let active = try arguments.object(0, as: ArchitectureObject.self).architecture.decisions
          try call.push(
            JSONValue.array(
              active.map { decision in
                .object(SpaceBinding.fields(of: decision.info).merging(["value": decision.value]) { $1 })
              }))
        }
      ),
      (
        Declaration(
          "arch:encode", "The decisions as a list of numbers of fixed length (one-hot, scaled).", [Self.this],
          returns: "number[]"),
        { arguments, call in
          let encoding = try arguments.object(0, as: ArchitectureObject.self).architecture.encoding
          try call.push(JSONValue.array(encoding.map(JSONValue.number)))
        }
      ),
      (Self.costDeclaration, Self.cost),
      (
        Declaration(
          "arch:network", "The stand-alone network of the architecture for some data, with fresh weights.",
          [Self.this, Parameter("data", "Data", "gives the input's shape and the classes")], returns: "Network"),
        { arguments, call in
          let arch = try arguments.object(0, as: ArchitectureObject.self)
          let data = try arguments.object(1, as: DataObject.self)
          try call.push(try session.network(arch, task: NetworkTask(data), stream: "network/" + arch.id))
        }
      ),
    ]
  }

  private static let classDeclaration = ClassDeclaration(
    "Architecture", object: "arch",
    """
    One point of a space: what was decided. It never changes, and equal ones are the same object, so it can be the key of a
    table. A decision is read by its name, `arch.stem`, `arch.blocks[2].op`.
    """,
    fields: [
      Parameter("[string]", "any", "a decision, as build sees it")
    ])

  func declare() throws {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      ArchitectureObject.self,
      methods: api.methods(methods),
      metamethods: [
        .text: { call in
          let arch = try call.this(ArchitectureObject.self)
          call.push(try arch.definition.text(of: arch.architecture))
        },
        .index: { call in
          let arch = try call.this(ArchitectureObject.self)
          let name = call.string(2) ?? call.value(2).description
          guard let value = arch.architecture.values[name] else {
            let names = arch.architecture.values.object?.keys.sorted() ?? []
            throw Fault(
              .recipe, "the architecture has no decision '\(name)'", hint: Suggestion.hint(for: name, among: names))
          }
          let plain = try session.host.value(value)
          guard plain.table != nil else { return try call.push(plain) }
          try call.push(session.core?["read_only_decisions"].function?([plain]).first ?? plain)
        },
        .newIndex: { call in throw Self.change(of: call.string(2) ?? call.value(2).description) },
        .equal: { call in
          let same =
            try call.object(1, as: ArchitectureObject.self)?.architecture
            == call.object(2, as: ArchitectureObject.self)?.architecture
          call.push(same)
        },
      ])
  }

  private static func change(of name: String) -> Fault {
    Fault(
      .recipe, "an architecture never changes: can't set '\(name)'",
      hint: "arch:with(path, value) gives a changed copy: arch:with(\"blocks[2].op\", \"skip\").")
  }

  private static let costDeclaration = Declaration(
    "arch:cost", "Parameters and multiply-accumulates of the architecture's network, without data and weights.",
    [Parameter("arch", "Architecture")],
    options: [
      Parameter("input", "table", "{ height, width, channels }"),
      Parameter("classes", "integer", min: 1, "how many the network tells apart"),
    ],
    returns: "table<string, integer> # params, macs")

  private static func cost(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let arch = try arguments.object(0, as: ArchitectureObject.self)
    let shape = arguments["input"].table?.array.map(\.integer) ?? []
    guard shape.count == 3, shape.allSatisfy({ $0 ?? 0 > 0 }) else {
      throw Fault(
        .recipe, "arch:cost: wrong option 'input'", expected: "{ height, width, channels }",
        got: arguments["input"].description)
    }
    let graph = try arch.definition.graph(
      of: arch.architecture, input: shape.compactMap { $0 }, classes: arguments.integer("classes"))
    try call.push(["params": .int(graph.parameterCount), "macs": .int(graph.macs)] as JSONValue)
  }
}
