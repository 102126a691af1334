import Canonical
import Diagnostics
import LuaHost
import NeuralNet

/// `nas.nn`: one function for each layer of the op table, made from the op's own record.
///
/// A call gives the inputs, then the op's required attributes in order, then a table of the others:
/// `nn.conv2d(x, 16, { kernel = 3 })`. `name` in that table names the node.
struct BuildBinding {
  let api: API
  let session: Session

  /// Declares `Value`, the class of a value in a network; returns the functions of `nas.nn`.
  func declare() throws -> LuaValue {
    try api.host.declare(
      SymbolObject.self,
      metamethods: [
        .index: Self.field,
        .text: { call in call.push("Value\(try call.this(SymbolObject.self).symbol.shape)") },
      ])
    var functions: [String: LuaValue] = [:]
    for op in OpTable.layers {
      let name = "nas.nn." + op.name
      api.declare(Self.declaration(of: op, named: name))
      functions[op.name] = api.host.function(name) { [session] call in try Self.apply(op, call, session) }
    }
    return try api.host.table(functions)
  }

  /// `push_scope` and `pop_scope`, on which `nas.nn.scope` is built.
  func coreFunctions() -> [String: LuaFunction] {
    [
      "push_scope": { [session] call in try session.builder(for: "nas.nn.scope").pushScope(call.string(1) ?? "") },
      "pop_scope": { [session] _ in try session.builder(for: "nas.nn.scope").popScope() },
    ]
  }

  /// One layer: reads the call and hands it to the graph builder, which checks shapes and options.
  private static func apply(_ op: Op, _ call: borrowing LuaCall, _ session: Session) throws {
    let builder = try session.builder(for: call.name)
    var position = 1
    var inputs: [Symbol] = []
    while let value = try call.object(position, as: SymbolObject.self) {
      inputs.append(value.symbol)
      position += 1
    }
    if inputs.isEmpty { throw call.wrong(1, expected: "a value of nas.nn, such as x") }
    var attributes: [String: JSONValue] = [:]
    for schema in op.attributes where schema.standard == nil {
      if position > call.count || call.isTable(position) { break }
      try refuse(call.value(position), session)
      attributes[schema.name] = try call.json(position)
      position += 1
    }
    var name: String?
    if call.isTable(position) {
      for (key, value) in call.pairs(position) {
        guard let key = key.string else { throw call.wrong(position, expected: "named options") }
        try refuse(value, session)
        if key == "name" { name = value.string } else { attributes[key] = try LuaValues.json(value) }
      }
      position += 1
    }
    if position <= call.count, !call.isNil(position) {
      throw call.wrong(position, expected: "a table of options")
    }
    try call.push(SymbolObject(try builder.apply(op.name, inputs, attributes: attributes, name: name)))
  }

  /// Throws for an open decision in the place of a number: the network needs its value.
  private static func refuse(_ value: LuaValue, _ session: Session) throws {
    guard let handle = value.object(as: DecisionHandle.self) else { return }
    throw session.openBuild?.fault(for: handle) ?? NeedsValue(path: handle.path).fault
  }

  /// `x.channels`, `x.height`, `x.width`, `x.shape` (without the batch).
  private static func field(_ call: borrowing LuaCall) throws {
    let shape = try call.this(SymbolObject.self).symbol.shape
    let name = call.string(2) ?? call.value(2).description
    switch name {
    case "channels": call.push(shape.channels)
    case "shape": try call.push(JSONValue.array(shape.dimensions.map(JSONValue.int)))
    case "height" where shape.isImage: call.push(shape.height)
    case "width" where shape.isImage: call.push(shape.width)
    default:
      let known = ["channels", "shape"] + (shape.isImage ? ["height", "width"] : [])
      throw Fault(.recipe, "a value of shape \(shape) has no '\(name)'", hint: Suggestion.hint(for: name, among: known))
    }
  }

  private static func declaration(of op: Op, named name: String) -> Declaration {
    let inputs: [Parameter]
    switch op.arity {
    case .exactly(let count): inputs = (0..<count).map { Parameter(count == 1 ? "x" : "x\($0 + 1)", "Value") }
    case .atLeast: inputs = [Parameter("…", "Value", "two values or more")]
    }
    let attributes = op.attributes.map {
      Parameter($0.name, "any", optional: $0.standard != nil, default: $0.standard, $0.documentation)
    }
    return Declaration(
      name, op.documentation, context: "build", inputs,
      options: attributes + [Parameter("name", "string", optional: true, "the node's name in its scope")],
      returns: "a Value")
  }
}
