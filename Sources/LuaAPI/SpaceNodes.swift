import Canonical
import Diagnostics
import LuaHost
import SearchCore

/// `nas.oneof`, `manyof`, `list`, `int`, `float`: the parts of a space definition.
enum SpaceNodes {
  static func declare(_ api: API) throws -> [(Declaration, API.Body)] {
    api.declare(
      ClassDeclaration(
        "Decision", object: "decision", "A part of a space's definition: what nas.oneof, list, int and the like make."))
    try api.host.declare(
      NodeObject.self,
      metamethods: [.text: { call in call.push("Decision(\(try call.this(NodeObject.self).node.name ?? "unnamed"))") }])
    return choices + numbers
  }

  private static let name = Parameter("name", "string", optional: true, "a label for people")

  private static var choices: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "nas.oneof",
          "A decision for one of the options. An option that is a table with decisions makes them conditional.",
          [Parameter("options", "table", "a list of plain values, or of tables that may hold decisions")],
          options: [name], returns: "Decision"),
        { arguments, call in try push(.oneOf(try options(arguments[0]), name: arguments["name"].string), call) }
      ),
      (
        Declaration(
          "nas.manyof", "A decision for `k` of the options.",
          [
            Parameter("k", "integer", min: 1, "how many are taken"),
            Parameter("options", "table", "a list of plain values, or of tables that may hold decisions"),
          ],
          options: [
            Parameter("ordered", "boolean", default: false, "whether { a, b } and { b, a } are two values"),
            Parameter("distinct", "boolean", default: true, "whether an option is taken once at most"), name,
          ], returns: "Decision"),
        { arguments, call in
          try push(
            .manyOf(
              arguments.integer(0), try options(arguments[1]), ordered: arguments.flag("ordered"),
              distinct: arguments.flag("distinct"), name: arguments["name"].string), call)
        }
      ),
      (
        Declaration(
          "nas.list",
          "The same element `count` times, each decided by itself. A `nas.int` as count makes the length a decision.",
          [
            Parameter("count", "integer|Decision", "how many, or a nas.int"),
            Parameter("element", "any", "a decision, or a table that holds decisions"),
          ], options: [name], returns: "Decision"),
        { arguments, call in
          try push(
            .list(try count(arguments[0]), try node(arguments[1], depth: 32), name: arguments["name"].string), call)
        }
      ),
    ]
  }

  private static var numbers: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "nas.int", "A decision for a whole number from `low` to `high`.",
          [Parameter("low", "integer", "the smallest value"), Parameter("high", "integer", "the largest value")],
          options: [
            Parameter("step", "integer", default: 1, min: 1, "from one value to the next"),
            Parameter("log", "boolean", default: false, "draw by the logarithm: each power of ten is as likely"), name,
          ], returns: "Decision"),
        { arguments, call in
          let range = IntRange(
            arguments.integer(0), arguments.integer(1), step: arguments.integer("step"), log: arguments.flag("log"))
          try push(.int(range, name: arguments["name"].string), call)
        }
      ),
      (
        Declaration(
          "nas.float", "A decision for a real number from `low` to `high`.",
          [Parameter("low", "number", "the smallest value"), Parameter("high", "number", "the largest value")],
          options: [
            Parameter("log", "boolean", default: false, "draw by the logarithm: each power of ten is as likely"), name,
          ], returns: "Decision"),
        { arguments, call in
          let range = FloatRange(arguments[0].number ?? 0, arguments[1].number ?? 0, log: arguments.flag("log"))
          try push(.float(range, name: arguments["name"].string), call)
        }
      ),
    ]
  }

  private static func push(_ node: SpaceNode, _ call: borrowing LuaCall) throws { try call.push(NodeObject(node)) }

  private static func count(_ value: LuaValue) throws -> ListCount {
    if let count = value.integer { return .fixed(count) }
    guard case .int(let range, _)? = value.object(as: NodeObject.self)?.node else {
      throw Fault(
        .recipe, "nas.list: wrong count", expected: "an integer or nas.int(low, high)", got: value.description)
    }
    return .between(range)
  }

  private static func options(_ value: LuaValue) throws -> [SpaceNode] {
    guard let table = value.table else { return [] }
    guard table.pairs.count == table.count else {
      throw Fault(
        .recipe, "wrong options of a decision", path: "space", expected: "a list, such as { 8, 16 }",
        got: "a table with named fields", hint: "Put options that are tables in a list too: { { … }, { … } }.")
    }
    return try table.array.map { try node($0, depth: 32) }
  }

  /// What a recipe wrote as a part of a space: a decision, a plain value, a record, or a list of parts.
  static func node(_ value: LuaValue, depth: Int) throws -> SpaceNode {
    if let object = value.object(as: NodeObject.self) { return object.node }
    guard let table = value.table else { return .constant(try LuaValues.json(value)) }
    guard depth > 0 else {
      throw Fault(
        .recipe, "a space definition contains itself", path: "space", expected: "tables at most 32 deep",
        hint: "Leave out the table that holds itself.")
    }
    let pairs = table.pairs
    if pairs.allSatisfy({ $0.key.string != nil }) {
      return .record(Record(try pairs.map { (key: $0.key.string ?? "", value: try node($0.value, depth: depth - 1)) }))
    }
    guard pairs.count == table.count else {
      throw Fault(
        .recipe, "wrong part of a space", path: "space", expected: "a record with named fields, or a list",
        got: "a table with both")
    }
    return .tuple(try table.array.map { try node($0, depth: depth - 1) })
  }
}
